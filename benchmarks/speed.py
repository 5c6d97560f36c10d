"""Speed of every estimator beside the package before, its peers and bare products.

Two processes take turns, fit by fit: one imports the package of this tree, the other
that of a revision checked out beside it, by default the last tag or, without tags, the
parent of this commit. A machine that turns slower slows both, and every ratio is the
median of ratios of runs one after the other. Three things are measured.

Fits, on one thread and in CPU seconds, beside those of what the estimator takes the
place of: PCA, IterativeImputer with trees, PyOD's AutoEncoder, ridge regression.

Steps of AutoencoderTransformer, beside a loop written by hand that trains the same
network, scikit-learn's perceptron, and the matrix products of the step alone. They are
timed on one thread in CPU seconds and on two by the clock; these need an idle machine:
next to other work threads wait for each other, and even the ratios mean nothing.

Fresh processes: what ``import skae`` and a first fit add to torch and scikit-learn.

What an earlier package depends on has to be installed.

    python benchmarks/speed.py --quick
    python benchmarks/speed.py --against HEAD~3 --data FOLDER --output docs/measured

With ``--output``, the ratios also become the row of this commit in ``speed.csv``, which
keeps those of the commits before. A commit is marked by a ``+`` if the package has
changes that are not committed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import groupby, product
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from _report import command_line, publish
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
MEMBERS = (1, 4, 6, 10)
THREADS = (1, 2)
MICROSECONDS = 1e6
Row = dict[str, object]
#: A network, a number of members and a number of threads.
Step = tuple[str, int, int]
Times = dict[str, np.ndarray]


def git(*arguments: str) -> str:
    command = ["git", "-C", str(HERE), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def previous_release() -> str:
    """Return the last tag before this commit or, without tags, its parent."""
    try:
        return git("describe", "--tags", "--abbrev=0", "HEAD~1")
    except subprocess.CalledProcessError:
        return "HEAD~1"


def this_commit() -> tuple[str, str]:
    """Return name and date of the commit that is measured."""
    name, date = git("log", "-1", "--format=%h %cs").split()
    changed = git("status", "--porcelain", "--", str(HERE.parent / "skae"))
    return name + ("+" if changed else ""), date


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """Give a revision a folder of its own for a while."""
    with TemporaryDirectory() as folder:
        tree = Path(folder).resolve() / "tree"
        git("worktree", "add", "--detach", str(tree), revision)
        try:
            yield tree
        finally:
            git("worktree", "remove", "--force", str(tree))


def run_in(tree: Path) -> dict[str, str]:
    """Return an environment in which Python imports the package of a tree."""
    path = [str(tree), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(path), "OMP_NUM_THREADS": "1"}


class Worker:
    """A process that measures the package of a tree."""

    def __init__(self, tree: Path, data: Path | None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "_speed_worker.py", *([data] if data else [])],
            env=run_in(tree),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        package = Path(self.measure("package"))
        if not package.is_relative_to(tree):
            raise RuntimeError(f"{package} was imported, which is not in {tree}.")

    def measure(self, name: str, *arguments: object) -> object:
        """Have something measured; this process waits."""
        print(json.dumps([name, *arguments]), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("A process that measures has failed: see above.")
        return json.loads(answer)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()


def first_fit(tree: Path, rows: list[list[float]]) -> tuple[float, float]:
    """Return CPU seconds of the import and of import and fit, in a fresh process."""
    done = subprocess.run(
        [sys.executable, HERE / "_first_fit.py"],
        env=run_in(tree),
        input=json.dumps(rows),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    imported, fitted = json.loads(done.stdout)
    return imported, fitted


def in_turns(repeats: int, measurements: dict[str, Callable[[], object]]) -> Times:
    """Let measurements take turns, and return what each took, in every repeat."""
    rows = [
        {name: measure() for name, measure in measurements.items()}
        for _ in range(repeats)
    ]
    return {name: np.array([row[name] for row in rows], float) for name in rows[0]}


def ratio(times: Times, reference: str) -> float:
    """Return what ours takes beside another one, which may be missing."""
    return float(np.median(times["ours"] / times.get(reference, np.nan)))


def fit_row(now: Worker, before: Worker, case: Row, repeats: int) -> Row:
    label, peer = case["label"], case["peer"]
    measurements = {
        "ours": partial(now.measure, "fit", label),
        "previous": partial(before.measure, "fit", label),
    }
    if peer is not None:
        measurements["peer"] = partial(now.measure, "fit_peer", label)
    times = in_turns(repeats, measurements)
    return {
        "estimator": case["estimator"],
        "rows": case["rows"],
        "shape": " x ".join(f"{n:,}" for n in case["shape"]),
        "fit, CPU s": np.median(times["ours"]),
        "/ previous": ratio(times, "previous"),
        "/ peer": ratio(times, "peer"),
        "peer": peer or "",
    }


def step_row(now: Worker, before: Worker, step: Step, repeats: int) -> Row:
    network, members, n_threads = step
    measurements = {
        "ours": partial(now.measure, "step", *step),
        "previous": partial(before.measure, "step", *step),
        "hand": partial(now.measure, "step_by_hand", network, n_threads),
        "products": partial(now.measure, "step_of_products", *step),
    }
    if members == 1:
        perceptron = partial(now.measure, "step_of_perceptron", network, n_threads)
        measurements["perceptron"] = perceptron
    times = in_turns(repeats, measurements)
    return {
        "network": network,
        "members": members,
        "threads": n_threads,
        "microseconds": round(MICROSECONDS * np.median(times["ours"])),
        "/ previous": ratio(times, "previous"),
        "/ hand-written": ratio(times, "hand"),
        "/ MLPRegressor": ratio(times, "perceptron"),
        "/ matrix products": ratio(times, "products"),
    }


def fresh_rows(
    tree: Path, tree_before: Path, rows: list[list[float]], repeats: int
) -> list[Row]:
    """Return a row for the import, and one for the import and the first fit."""
    measurements = {
        "ours": partial(first_fit, tree, rows),
        "previous": partial(first_fit, tree_before, rows),
    }
    times = in_turns(repeats, measurements)
    return [
        {
            "process": process,
            "CPU s": np.median(times["ours"][:, column]),
            "/ previous": np.median(
                times["ours"][:, column] / times["previous"][:, column]
            ),
        }
        for column, process in enumerate(("import skae", "import and first fit"))
    ]


def measure(
    against: str, data: Path | None, repeats: int, quick: bool
) -> tuple[list[Row], list[Row], list[Row]]:
    """Return what fits, steps and fresh processes take."""
    tree = HERE.parent
    with ExitStack() as stack:
        tree_before = stack.enter_context(checkout(against))
        now = stack.enter_context(Worker(tree, data))
        before = stack.enter_context(Worker(tree_before, data))
        cases = now.measure("cases")
        steps = list(product(now.measure("networks"), MEMBERS, THREADS))
        if quick:  # of every estimator, the smallest case is the first
            by_estimator = groupby(cases, itemgetter("estimator"))
            cases, steps = [next(group) for _, group in by_estimator], steps[:1]
        table = now.measure("table", cases[0]["label"])
        return (
            [fit_row(now, before, case, repeats) for case in tqdm(cases, "fits")],
            [step_row(now, before, step, repeats) for step in tqdm(steps, "steps")],
            fresh_rows(tree, tree_before, table, repeats),
        )


def history_row(
    revisions: Row, fits: list[Row], steps: list[Row], fresh: list[Row]
) -> Row:
    """Return what a run has measured in one row; of steps, those on one thread."""
    row = dict(revisions)
    for fit in fits:
        name = f"{fit['estimator']} {fit['rows']}"
        row[f"{name} / previous"] = fit["/ previous"]
        if fit["peer"]:
            row[f"{name} / {fit['peer']}"] = fit["/ peer"]
    for step in steps:
        if step["threads"] == 1:
            name = f"step of {step['network']} x {step['members']}"
            row[f"{name} / previous"] = step["/ previous"]
            row[f"{name} / hand-written"] = step["/ hand-written"]
    for process in fresh:
        row[f"{process['process']}, CPU s"] = process["CPU s"]
        row[f"{process['process']} / previous"] = process["/ previous"]
    return row


def add_to_history(row: Row, path: Path) -> None:
    """Put the row of a commit last, in the place of an earlier one of its own."""
    frame = pd.DataFrame([row])
    if path.exists():
        names = {"commit": str, "against": str}  # some look like numbers
        earlier = pd.read_csv(path, dtype=names)
        frame = pd.concat([earlier[earlier["commit"] != row["commit"]], frame])
    frame.to_csv(path, index=False, float_format="%.4g")


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument(
        "--against",
        metavar="REVISION",
        default=previous_release(),
        help="what to compare with; by default %(default)s",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="use the sets of FOLDER, instead of scikit-learn's",
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--quick", action="store_true", help="the smallest of everything, once"
    )
    options = parser.parse_args()
    repeats = 1 if options.quick else options.repeats
    data = options.data.resolve() if options.data else None
    against = git("rev-parse", "--short", f"{options.against}^{{commit}}")
    commit, date = this_commit()
    if os.getloadavg()[0] + max(THREADS) > os.cpu_count() + 0.5:
        print("The machine is busy: what takes two threads is not to be trusted.")

    fits, steps, fresh = measure(against, data, repeats, options.quick)
    sections = [
        (
            f"Commit {commit} of {date} against {against}: fits on one thread, the "
            f"median of {repeats} runs. Ratios are medians over runs one after the "
            "other. A peer that is not named is not installed.",
            pd.DataFrame(fits),
        ),
        (
            "One optimizer step and member of AutoencoderTransformer: CPU time on one "
            f"thread, wall time on two, the median of {repeats} runs.",
            pd.DataFrame(steps),
        ),
        (
            "A fresh process that has imported torch and scikit-learn's PCA. The first "
            f"fit is one of {fits[0]['rows']}.",
            pd.DataFrame(fresh),
        ),
    ]
    publish("speed", sections, options.output)
    if options.output is not None:
        revisions = {"commit": commit, "date": date, "against": against}
        row = history_row(revisions, fits, steps, fresh)
        add_to_history(row, options.output / "speed.csv")


if __name__ == "__main__":
    main()
