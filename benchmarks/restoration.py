"""Images restored by DenoisingTransformer, beside classical methods at their best.

Images are degraded in four ways: Gaussian noise of deviation 0.1 and 0.2, 30 % hidden
pixels, and half the height and width (means of two by two pixels). 70 % of the images
are fitted. Of every other method the setting is taken that is best on 100 of the
training images; DenoisingTransformer has its defaults. Peak signal-to-noise ratios
(PSNR, in decibels, the peak is 1) and structural similarities (SSIM) are means over at
most 300 test images; the PSNR of hidden pixels is that of these pixels alone.

Of scikit-learn's two photos one is fitted, in patches, and the other restored whole.
The settings of the filters are those that are best on the middle of the fitted one.

    python benchmarks/restoration.py
    python benchmarks/restoration.py --data FOLDER --output docs/measured
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import isqrt
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _data import Dataset, load
from _report import command_line, publish, threads
from _restorers import (
    Peer,
    Restore,
    enlargers,
    enlarging_learners,
    gap_filters,
    gap_learners,
    halve,
    noise_filters,
    noise_learners,
)
from skimage.metrics import structural_similarity
from sklearn.datasets import load_sample_image
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from skae import DenoisingTransformer
from skae.networks import ConvolutionalNetwork
from skae.noise import GaussianNoise, MaskingNoise, Noise

OURS = "DenoisingTransformer"
N_VALIDATION = 100
N_TEST = 300
N_TIMED = 5_000
PATCH_SIDE = 32
N_PATCHES = 3_000


@dataclass(frozen=True)
class Task:
    """A way to degrade images, what undoes it, and the noise to learn with, if any."""

    name: str
    degrade: Callable[[np.ndarray, np.random.Generator], np.ndarray]
    filters: dict[str, Peer]
    learners: dict[str, Peer]
    noise: Noise | None = None


def add_noise(images: np.ndarray, rng: np.random.Generator, sigma: float) -> np.ndarray:
    return images + sigma * rng.standard_normal(images.shape)


def hide(images: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    return np.where(rng.random(images.shape) < share, np.nan, images)


def shrink(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.stack([halve(image) for image in images])


TASKS = [
    *(
        Task(
            f"noise {sigma}",
            partial(add_noise, sigma=sigma),
            noise_filters(sigma),
            noise_learners(),
            GaussianNoise(sigma),
        )
        for sigma in (0.1, 0.2)
    ),
    Task(
        "30 % hidden",
        partial(hide, share=0.3),
        gap_filters(),
        gap_learners(),
        MaskingNoise(0.3, fill="nan"),
    ),
    Task("2x", shrink, enlargers(), enlarging_learners()),
]


@dataclass(frozen=True)
class Images:
    """Clean images to learn from and to choose settings with, and test images."""

    name: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(dataset: Dataset) -> Images:
    """Make square images of rows; the last training images choose the settings."""
    side = isqrt(dataset.X.shape[1])
    images = dataset.X.reshape(-1, side, side)
    train, test = train_test_split(images, test_size=0.3, random_state=0)
    return Images(dataset.name, train, train[-N_VALIDATION:], test[:N_TEST])


def fit_ours(task: Task, clean: np.ndarray) -> tuple[DenoisingTransformer, np.ndarray]:
    """Fit with default settings; return the degraded rows of the pairs as well."""
    network = ConvolutionalNetwork(image_shape=clean.shape[1:])
    degraded = task.degrade(clean, np.random.default_rng(1))
    rows = clean.reshape(len(clean), -1).astype(np.float32)
    inputs = degraded.reshape(len(degraded), -1).astype(np.float32)
    estimator = DenoisingTransformer(network=network, random_state=0)
    if task.noise is None:
        return estimator.fit(inputs, X_clean=rows), inputs
    return estimator.set_params(noise=task.noise).fit(rows), inputs


def best_setting(peer: Peer, task: Task, images: Images) -> Restore:
    """Learn from the training images; choose the setting by the validation images."""
    rng = np.random.default_rng(2)
    # A method must not have seen the images that choose its setting.
    clean = images.train[:-N_VALIDATION]
    pairs = task.degrade(clean, rng), clean
    degraded = task.degrade(images.validation, rng)
    fitted = (peer.make(*pairs, setting) for setting in peer.settings)
    return max(
        fitted,
        key=lambda restore: psnr(
            images.validation, keep_visible(degraded, restore(degraded)), degraded
        ).mean(),
    )


def keep_visible(degraded: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Put visible pixels back, where others are hidden."""
    if not np.isnan(degraded).any():
        return restored
    return np.where(np.isnan(degraded), restored, degraded)


def psnr(clean: np.ndarray, restored: np.ndarray, degraded: np.ndarray) -> np.ndarray:
    """Return the ratio of each image in decibels; of hidden pixels, where any are."""
    hidden = np.isnan(degraded).reshape(len(degraded), -1)
    counted = hidden if hidden.any() else np.ones((len(clean), 1))
    errors = (clean - restored).reshape(len(clean), -1) ** 2
    mean = np.mean(errors, axis=1, where=np.broadcast_to(counted > 0, errors.shape))
    return -10 * np.log10(np.maximum(mean, 1e-10))


def ssim(clean: np.ndarray, restored: np.ndarray) -> float:
    channel_axis = -1 if clean.ndim == 4 else None
    return float(
        np.mean(
            [
                structural_similarity(a, b, data_range=1, channel_axis=channel_axis)
                for a, b in zip(clean, restored, strict=True)
            ]
        )
    )


def evaluate(
    clean: np.ndarray, degraded: np.ndarray, restore: Restore
) -> dict[str, float]:
    """Measure what a method makes of degraded images."""
    began = time.process_time()
    restored = restore(degraded)
    seconds = time.process_time() - began
    restored = keep_visible(degraded, restored)
    return {
        "PSNR": psnr(clean, restored, degraded).mean(),
        "SSIM": ssim(clean, restored),
        "images / s": len(clean) / max(seconds, 1e-9),
    }


def run_peers(
    peers: dict[str, Peer], task: Task, images: Images, degraded: np.ndarray
) -> Iterator[dict[str, object]]:
    """Evaluate every other method at its best setting."""
    for name, peer in peers.items():
        restore = best_setting(peer, task, images)
        yield {"method": name} | evaluate(images.test, degraded, restore)


def run_images(images: Images, task: Task, peers: bool) -> Iterator[dict[str, object]]:
    """Evaluate every method on one set of images and one task."""
    cell = {"set": images.name, "task": task.name}
    degraded = task.degrade(images.test, np.random.default_rng(0))
    if peers:
        for row in run_peers(task.filters | task.learners, task, images, degraded):
            yield cell | row

    began = time.process_time()
    estimator, inputs = fit_ours(task, images.train)
    fitted = time.process_time()
    # Prediction is timed on a table that is large enough.
    inputs = np.resize(inputs, (N_TIMED, inputs.shape[1]))
    estimator.transform(inputs[:100])
    restoring = time.process_time()
    estimator.transform(inputs)
    done = time.process_time()

    def restore(images: np.ndarray) -> np.ndarray:
        rows = images.reshape(len(images), -1).astype(np.float32)
        return estimator.transform(rows).reshape(-1, *clean_shape)

    clean_shape = images.test.shape[1:]
    yield (
        cell
        | {"method": OURS}
        | evaluate(images.test, degraded, restore)
        | {
            "fit, CPU s": fitted - began,
            "images / s": N_TIMED / (done - restoring),
            "start": estimator.start_,
        }
    )


def photos(learned: str, restored: str, gray: bool) -> Images:
    """Return patches of one photo and the other photo, whole."""
    known, other = (
        load_sample_image(f"{name}.jpg")[:426].astype(np.float64) / 255
        for name in (learned, restored)
    )
    if gray:
        known, other = (photo @ [0.299, 0.587, 0.114] for photo in (known, other))
    patches = extract_patches_2d(
        known, (PATCH_SIDE, PATCH_SIDE), max_patches=N_PATCHES, random_state=0
    )
    name = f"{learned} to {restored}, {'grey' if gray else 'colour'}"
    return Images(name, patches, known[None, 86:342, 192:448], other[None])


def run_photo(images: Images, task: Task, peers: bool) -> Iterator[dict[str, object]]:
    """Evaluate every method that restores a whole photo."""
    cell = {"set": images.name, "task": task.name}
    degraded = task.degrade(images.test, np.random.default_rng(0))
    if peers:
        for row in run_peers(task.filters, task, images, degraded):
            yield cell | row

    began = time.process_time()
    estimator, _ = fit_ours(task, images.train)
    fitted = time.process_time()

    def restore(images: np.ndarray) -> np.ndarray:
        return np.stack([estimator.restore_image(image) for image in images])

    yield (
        cell
        | {"method": OURS}
        | evaluate(images.test, degraded, restore)
        | {
            "fit, CPU s": fitted - began,
            "start": estimator.start_,
        }
    )


def report(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the tables, each with the text to be printed above it."""
    texts = {
        "PSNR": "Peak signal-to-noise ratio in dB, mean over the test images; where "
        "pixels are hidden, of these alone.",
        "SSIM": "Structural similarity, mean over the test images.",
    }
    for measure, text in texts.items():
        for name, rows in frame.groupby("set", sort=False):
            table = rows.pivot(index="method", columns="task", values=measure)
            order = [rows["method"].unique(), rows["task"].unique()]
            yield f"{name}. {text}", table.loc[order[0], order[1]].reset_index()
    peers = frame[frame["method"] != OURS]
    best = peers.loc[peers.groupby(["set", "task"])["PSNR"].idxmax()]
    ours = frame[frame["method"] == OURS].merge(
        best, on=["set", "task"], how="left", suffixes=("", " of the best other")
    )
    ours["gain, dB"] = ours["PSNR"] - ours["PSNR of the best other"]
    ours = ours.rename(columns={"method of the best other": "best other method"})
    yield (
        f"{OURS} beside the best other method. CPU seconds and images a second are "
        "those of one thread.",
        ours[
            ["set", "task", "best other method", "gain, dB", "start", "fit, CPU s",
             "images / s"]
        ],
    )  # fmt: skip


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="use images/*.npz of FOLDER too"
    )
    parser.add_argument(
        "--sets", metavar="A,B", help="only sets whose name has one of these parts"
    )
    parser.add_argument(
        "--tasks", metavar="A,B", help="only tasks whose name has one of these parts"
    )
    parser.add_argument("--no-peers", action="store_true", help=f"only {OURS}")
    options = parser.parse_args()

    def chosen(name: str, parts: str | None) -> bool:
        return parts is None or any(part in name for part in parts.split(","))

    sets = [split(dataset) for dataset in load(options.data) if dataset.is_image]
    cells = [(run_images, images, task) for images in sets for task in TASKS]
    cells += [
        (run_photo, photos(learned, restored, gray), task)
        for learned, restored, gray in (
            ("china", "flower", True),
            ("flower", "china", True),
            ("china", "flower", False),
        )
        for task in TASKS
    ]
    cells = [
        (run, images, task)
        for run, images, task in cells
        if chosen(images.name, options.sets) and chosen(task.name, options.tasks)
    ]
    if not cells:
        parser.error("no set and task have such names")

    torch.optim.Adam([torch.zeros(1)])  # the first one imports torch's compiler
    rows = []
    progress = tqdm(cells)
    with threads(1), warnings.catch_warnings():
        for run, images, task in progress:
            for row in run(images, task, not options.no_peers):
                rows.append(row)
                progress.write(
                    f"{row['set']}, {row['task']}, {row['method']}: "
                    f"{row['PSNR']:.2f} dB, SSIM {row['SSIM']:.3f}"
                    + (f", {row['fit, CPU s']:.1f} s" if "start" in row else "")
                )
    frame = pd.DataFrame(rows)
    publish("restoration", list(report(frame)), options.output)
    if options.output is not None:
        path = options.output / "restoration.csv"
        frame.to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
