"""ReconstructionOutlierDetector: degenerate tables, extreme values, refusals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skae import ReconstructionOutlierDetector
from skae.networks import DenseNetwork
from skae.noise import GaussianNoise

QUICK = {"hidden_layer_sizes": (16,), "max_iter": 3, "random_state": 0}
METHODS = ["score_samples", "decision_function", "predict", "explain", "reconstruct"]


@pytest.fixture
def X(rng: np.random.RandomState) -> np.ndarray:
    return rng.normal(size=(60, 4))


def assert_sound(detector: ReconstructionOutlierDetector, X: np.ndarray) -> None:
    """All outputs are finite and agree; a warning would be an error."""
    outputs = {method: getattr(detector, method)(X) for method in METHODS}
    for name, output in outputs.items():
        assert len(output) == len(X)
        assert np.isfinite(output).all(), name
    contributions = outputs["explain"]
    assert (contributions >= 0).all()
    np.testing.assert_allclose(
        contributions.sum(axis=1), -outputs["score_samples"], atol=1e-9
    )
    assert np.isfinite(detector.offset_)


def constant_columns(X: np.ndarray) -> np.ndarray:
    X[:, 1], X[:, 2] = 0.1, -1e30
    return X


def constant_in_the_middle(X: np.ndarray) -> np.ndarray:
    X[:, 1] = 0.1
    X[:3, 1] = [5, -2, 1e6]
    return X


DEGENERATE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "constant columns": constant_columns,
    "constant in the core": constant_in_the_middle,
    "copied columns": lambda X: X[:, [0, 0, 1, 1]],
    "copied rows": lambda X: X[np.arange(60) % 7],
    "two rows many times": lambda X: X[np.arange(60) % 2],
    "all rows equal": lambda X: X[np.zeros(60, int)],
    "all zero": lambda X: 0 * X,
    "one column": lambda X: X[:, :1],
    "one constant column": lambda X: 0 * X[:, :1] + 0.1,
    "integers": lambda X: (3 * X).astype(int),
    "booleans": lambda X: X > 0,
    "rare booleans": lambda X: X > 2,
    "counts": lambda X: np.exp(3 * X).astype(int),
    "wide": lambda X: np.random.RandomState(1).normal(size=(12, 90)),
    "tiny": lambda X: 1e-30 * X,
    "huge": lambda X: 1e30 * X,
    "one huge value": lambda X: np.where(X == X.max(), 1e30, X),
    "one huge row": lambda X: np.concatenate([X, np.full((1, 4), -1e30)]),
    "one huge column": lambda X: X * [1, 1, 1e30, 1],
}
SETTINGS = [
    {},
    {"n_neighbors": None},
    {"core_fraction": 1.0},
    {"core_fraction": 0.01, "max_samples": 0.1, "n_estimators": 1},
]


class TestDegenerateTables:
    @pytest.mark.parametrize("params", SETTINGS, ids=str)
    @pytest.mark.parametrize("kind", DEGENERATE)
    def test_outputs_are_finite(self, X: np.ndarray, kind: str, params: dict) -> None:
        X = DEGENERATE[kind](X)
        detector = ReconstructionOutlierDetector(**QUICK, **params).fit(X)
        assert_sound(detector, X)
        assert_sound(detector, X + 1.0)
        assert_sound(detector, np.full_like(X, 1e18))

    @pytest.mark.parametrize("params", SETTINGS, ids=str)
    @pytest.mark.parametrize("n", range(2, 10))
    def test_few_rows(self, X: np.ndarray, n: int, params: dict) -> None:
        detector = ReconstructionOutlierDetector(**QUICK, **params).fit(X[:n])
        assert_sound(detector, X)

    def test_all_rows_equal(self, X: np.ndarray) -> None:
        """None of them is an outlier, and any other row is one."""
        X = np.repeat(X[:1], 30, axis=0)
        detector = ReconstructionOutlierDetector(**QUICK).fit(X)
        assert not detector.training_scores_.any()
        assert (detector.predict(X) == 1).all()
        assert (detector.predict(X + 0.1) == -1).all()

    @pytest.mark.parametrize("constant", [0.0, 0.1, 1 / 3, 1e6 + 0.1])
    def test_new_value_in_a_constant_column(
        self, X: np.ndarray, constant: float
    ) -> None:
        X[:, 1] = constant
        detector = ReconstructionOutlierDetector(**QUICK).fit(X)
        other, next_float = X.copy(), X.copy()
        other[:, 1] += 100
        next_float[:, 1] = np.nextafter(constant, np.inf)
        assert (detector.predict(other) == -1).all()
        assert (detector.explain(other).argmax(axis=1) == 1).all()
        np.testing.assert_allclose(
            detector.score_samples(next_float), detector.training_scores_, atol=1e-6
        )

    def test_one_huge_training_value_hides_nothing(
        self, rng: np.random.RandomState
    ) -> None:
        """In its column, others are judged as before."""
        X = rng.normal(size=(300, 3))
        outliers = X[:20] + np.array([20, 0, 0])
        for value in (1e3, 1e6, 1e30):
            X[-1, 0] = value
            detector = ReconstructionOutlierDetector(**QUICK).fit(X)
            assert detector.training_scores_.argmin() == 299
            scores = detector.score_samples(outliers)
            assert (scores < np.sort(detector.training_scores_)[1]).all()

    @pytest.mark.parametrize("value", [1e30, -1e30])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_huge_new_value(self, X: np.ndarray, value: float, dtype: type) -> None:
        X = X.astype(dtype)
        detector = ReconstructionOutlierDetector(**QUICK).fit(X)
        new = X.copy()
        new[0, 2] = value
        assert_sound(detector, new)
        assert detector.predict(new)[0] == -1
        assert detector.explain(new)[0].argmax() == 2
        assert np.array_equal(
            detector.score_samples(new)[1:], detector.score_samples(X)[1:]
        )


def with_value(value: object, dtype: type = float) -> Callable[[np.ndarray], object]:
    def change(X: np.ndarray) -> np.ndarray:
        X = X.astype(dtype)
        X[3, 1] = value
        return X

    return change


BAD_ROWS = {
    "nan": (with_value(np.nan), ValueError, "contains NaN.*DenoisingImputer"),
    "infinite": (with_value(np.inf), ValueError, "contains infinity"),
    "complex": (with_value(1j, complex), ValueError, "Complex data not supported"),
    "string": (with_value("red", object), ValueError, "could not convert string"),
    "sparse": (sparse.csr_array, TypeError, "Sparse data was passed"),
    "empty": (lambda X: X[:0], ValueError, "Found array with 0 sample"),
    "no columns": (lambda X: X[:, :0], ValueError, r"0 feature\(s\)"),
    "one axis": (lambda X: X[0], ValueError, "Expected 2D array, got 1D"),
    "three axes": (lambda X: X[None], ValueError, "must be one row"),
}


@pytest.mark.parametrize("method", ["fit", *METHODS])
@pytest.mark.parametrize("kind", BAD_ROWS)
def test_bad_rows(X: np.ndarray, kind: str, method: str) -> None:
    make, error, message = BAD_ROWS[kind]
    fitted = ReconstructionOutlierDetector(**QUICK).fit(X)
    with pytest.raises(error, match=message):
        getattr(fitted, method)(make(X))


def test_a_single_row_is_refused(X: np.ndarray) -> None:
    message = r"Found array with 1 sample\(s\) .* while a minimum of 2 is required"
    with pytest.raises(ValueError, match=message):
        ReconstructionOutlierDetector(**QUICK).fit(X[:1])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("width", [3, 5])
def test_wrong_number_of_columns(X: np.ndarray, method: str, width: int) -> None:
    fitted = ReconstructionOutlierDetector(**QUICK).fit(X)
    message = f"X has {width} features, but ReconstructionOutlierDetector is expecting"
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(np.ones((3, width)))


@pytest.mark.parametrize("method", METHODS)
def test_not_fitted(X: np.ndarray, method: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(ReconstructionOutlierDetector(), method)(X)


def test_no_threshold_before_a_fit() -> None:
    with pytest.raises(NotFittedError):
        ReconstructionOutlierDetector().threshold(0.1)


@pytest.mark.parametrize(
    "params, message",
    [
        (
            {"network": DenseNetwork(), "hidden_layer_sizes": (4,)},
            "hidden_layer_sizes.*network",
        ),
        ({"network": DenseNetwork(), "activation": "relu"}, "activation.*network"),
        ({"network": DenseNetwork(activation="step")}, "activation must be one of"),
        ({"network": DenseNetwork(connectivity=0)}, "connectivity must be"),
        ({"network": DenseNetwork(connectivity=1.5)}, "connectivity must be"),
        ({"hidden_layer_sizes": (4, 0)}, "hidden_layer_sizes must be"),
        ({"noise": GaussianNoise(-1)}, "strength must be a non-negative"),
        ({"max_samples": 0.0}, "'max_samples' parameter"),
        ({"max_samples": 1.1}, "'max_samples' parameter"),
        ({"max_samples": 20}, "'max_samples' parameter"),
        ({"core_fraction": 0.0}, "'core_fraction' parameter"),
        ({"core_fraction": 1.1}, "'core_fraction' parameter"),
        ({"n_neighbors": 0}, "'n_neighbors' parameter"),
        ({"n_estimators": 0}, "'n_estimators' parameter"),
        ({"contamination": 0.6}, "'contamination' parameter"),
        ({"device": "warp"}, "device"),
        ({"device": "cuda:99"}, "device"),
    ],
    ids=str,
)
def test_contradicting_or_impossible_parameters(
    X: np.ndarray, params: dict, message: str
) -> None:
    detector = ReconstructionOutlierDetector(max_iter=1).fit(X)
    with pytest.raises(ValueError, match=message):
        detector.set_params(**params).fit(X)


def test_failed_fit_leaves_the_fit_before(X: np.ndarray) -> None:
    detector = ReconstructionOutlierDetector(**QUICK).fit(X)
    scores, fitted = detector.score_samples(X), dict(vars(detector))
    network = DenseNetwork()
    with pytest.raises(ValueError):
        detector.set_params(network=network).fit(X[:, :3] + 1)
    assert np.array_equal(detector.score_samples(X), scores)
    assert vars(detector).keys() == fitted.keys()
    for name, value in (fitted | {"network": network}).items():
        assert getattr(detector, name) is value


def test_divergence_warns_and_scores_are_finite(X: np.ndarray) -> None:
    detector = ReconstructionOutlierDetector(learning_rate_init=1e30, **QUICK)
    with pytest.warns(ConvergenceWarning, match="learning_rate_init"):
        detector.fit(X)
    assert_sound(detector, X)


class TestConstantColumns:
    """That a constant has changed is an event, in any unit; its rounding is none."""

    def test_its_double_is_the_same_event_in_every_unit(self, X: np.ndarray) -> None:
        scores = []
        for constant in (1.0, 1e-6, 1e3, 1e12):
            X[:, 1] = constant
            detector = ReconstructionOutlierDetector(**QUICK).fit(X)
            X[:, 1] = 2 * constant
            assert (detector.predict(X) == -1).all()
            scores.append(detector.score_samples(X))
        for score in scores:
            np.testing.assert_allclose(score, scores[0], rtol=1e-6)

    @pytest.mark.parametrize("constant", [1e9 / 3, 1_700_000_001.0, 0.1])
    def test_rounding_to_float32_is_no_event(
        self, X: np.ndarray, constant: float
    ) -> None:
        X[:, 1] = constant
        single = X.astype(np.float32)
        for fitted, judged in ((X, single), (single, X)):
            detector = ReconstructionOutlierDetector(**QUICK).fit(fitted)
            assert (detector.predict(judged) == -1).mean() <= 0.05


@pytest.mark.parametrize("share", [0.5, 0.8, 0.9])
def test_gross_rows_stand_out_where_most_rows_are_idle(share: float) -> None:
    """Other rows are ordinary, although the most frequent one is another."""
    rng = np.random.default_rng(0)
    active = rng.normal(scale=0.1, size=(997 - round(1000 * share), 4))
    gross = [[3, 0, 0, 0], [0, 3, 3, 0], [0, 0, 0, -5]]
    X = np.concatenate([np.zeros((round(1000 * share), 4)), active, gross])
    detector = ReconstructionOutlierDetector(random_state=0, contamination=0.003)
    flags = detector.fit_predict(X)
    assert np.flatnonzero(flags == -1).tolist() == [997, 998, 999]


@pytest.mark.parametrize("n_features", [1, 3, 4])
def test_rare_combinations_of_two_values_are_less_normal(n_features: int) -> None:
    """Also where most rows are one and the same."""
    rng = np.random.default_rng(0)
    X = (rng.random((1000, n_features)) < 0.05).astype(float)
    detector = ReconstructionOutlierDetector(random_state=0).fit(X)
    kinds = np.tri(n_features + 1, n_features, -1)  # none, one, two ... of them
    assert (np.diff(detector.score_samples(kinds)) < 0).all()


def gross(kind: str) -> tuple[np.ndarray, int]:
    """A table, and how many of its first rows are gross."""
    rng = np.random.default_rng(0)
    if kind == "two rows of a narrow law":
        X = np.sin(np.linspace(0, 20, 100)[:, None] + np.arange(10))
        X[:2] = 100
        return X, 2
    if kind == "two rows beside two values":
        X = rng.integers(0, 2, (1000, 12)).astype(float)
        X[:2] = 1e20
        return X, 2
    share, n_features, value = {
        "copies": (0.06, 4, 1e6),
        "many copies": (0.1, 4, 1e6),
        "a marker": (0.08, 30, -999),
    }[kind]
    X = rng.normal(size=(300, n_features))
    n_gross = round(share * 300)
    X[:n_gross] = value
    return X, n_gross


@pytest.mark.parametrize(
    "kind",
    [
        "two rows of a narrow law",
        "two rows beside two values",
        "copies",
        "many copies",
        "a marker",
    ],
)
def test_gross_training_rows_are_flagged(kind: str) -> None:
    """Also where they are copies of each other, and however far they are."""
    X, n_gross = gross(kind)
    detector = ReconstructionOutlierDetector(random_state=0, contamination=0.15)
    flags = detector.fit_predict(X)
    assert np.isfinite(detector.training_scores_).all()
    assert (flags[:n_gross] == -1).all()
    assert (flags == -1).sum() == pytest.approx(0.15 * len(X), abs=1)
