"""One sentence that names what to change, for everything that cannot be fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from skae import AutoencoderTransformer, DenoisingTransformer
from skae import ReconstructionOutlierDetector as Detector
from skae.networks import ConvolutionalNetwork, DenseNetwork
from skae.noise import GaussianNoise, MaskingNoise

X = load_digits().data[:60] / 16
SMALL = X[:, :16]
QUICK = {"max_iter": 1, "random_state": 0}
GAPS = MaskingNoise(fill="nan")


def images(*shape: int) -> ConvolutionalNetwork:
    return ConvolutionalNetwork(shape, channels=(2,))


@pytest.mark.parametrize(
    "params, rows, clean, message",
    [
        ({}, X[:9], X[:8], "X_clean has 8 rows, but X has 9; pass the clean row of"),
        ({"noise": None}, X, None, "noise=None leaves nothing to learn from; set a"),
        ({"noise": GaussianNoise(0)}, X, None, "noise=.* changes nothing; raise its"),
        ({"noise": MaskingNoise((0, 0))}, X, None, "noise=.* changes nothing"),
        ({"noise": GaussianNoise()}, X, X, "noise=.* is not used beside clean ro"),
        ({"noise": MaskingNoise(fill="one")}, X, None, "fill must be 'zero', 'mean' "),
        ({"start": "local"}, X, None, "start='local' is for images .network=Convolut"),
        (
            {"start": "identity"},
            SMALL,
            X,
            "start='identity' keeps .*, but X has 16 and X_clean 64; set start='l",
        ),
        (
            {"network": DenseNetwork(), "activation": "relu"},
            X,
            None,
            "hidden_layer_sizes and activation are shorthand",
        ),
        (
            {"network": images(16, 16)},
            X,
            None,
            r"image_shape=\(16, 16\) means 256 features, but X has 64; .* as X_clean",
        ),
        (
            {"network": images(16, 16)},
            SMALL,
            X,
            r"image_shape=\(16, 16\) means 256 features, but X_clean has 64; set it",
        ),
        (
            {"network": images(8, 8)},
            X[:, :15],
            X,
            r"X has 15 features, which are no images smaller than image_shape=\(8, 8\)",
        ),
        ({"network": images(4, 4)}, X, SMALL, "X has 64 features, which are no images"),
        ({"network": images(8, 8)}, X[:, :32], X, "X has 32 features, which are no im"),
        (
            {"network": ConvolutionalNetwork((8, 8), kernel_size=4)},
            X,
            None,
            "kernel_size must be 'auto' or an odd positive integer .* got 4",
        ),
        (
            {"network": ConvolutionalNetwork((8, 8), stride=2)},
            X,
            None,
            "stride, hidden_size, tied_weights and code_activation are for an",
        ),
        ({"device": "cuda:99"}, X, None, "device='cuda:99' is not available"),
    ],
)
def test_fit(params: dict, rows: np.ndarray, clean, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DenoisingTransformer(**(QUICK | params)).fit(rows, X_clean=clean)


def test_linear_start_of_wide_rows() -> None:
    rows = np.zeros((30, 5000))
    with pytest.raises(ValueError, match="start='linear' is for rows of up to 4096"):
        DenoisingTransformer(start="linear", **QUICK).fit(rows)
    with pytest.raises(ValueError, match="start='linear' is for rows of up to 4096"):
        DenoisingTransformer(**QUICK).fit(X[:30], X_clean=rows)


class TestNaN:
    holed = np.where(np.arange(64) == 20, np.nan, X)

    def test_names_both_remedies(self) -> None:
        message = "X contains NaN; .* noise=MaskingNoise.*, or use DenoisingImputer"
        denoiser = DenoisingTransformer(**QUICK)
        with pytest.raises(ValueError, match=message):
            denoiser.fit(self.holed)
        with pytest.raises(ValueError, match=message):
            denoiser.fit(X).transform(self.holed)
        with pytest.raises(ValueError, match=message):
            denoiser.score(self.holed)

    def test_in_every_row_leaves_nothing_to_learn_from(self) -> None:
        with pytest.raises(ValueError, match=r"gap in every row.*use DenoisingImputer"):
            DenoisingTransformer(noise=GAPS, **QUICK).fit(self.holed)

    def test_in_every_row_leaves_nothing_to_score(self) -> None:
        denoiser = DenoisingTransformer(noise=GAPS, **QUICK).fit(X)
        with pytest.raises(ValueError, match=r"no complete row to score; .*X_clean"):
            denoiser.score(self.holed)

    def test_in_clean_rows(self) -> None:
        with pytest.raises(ValueError, match="Input X_clean contains NaN"):
            DenoisingTransformer(**QUICK).fit(X, X_clean=self.holed)

    @pytest.mark.parametrize("noise", ["auto", GAPS])
    def test_infinity(self, noise) -> None:
        rows = np.where(np.arange(64) == 20, np.inf, X)
        with pytest.raises(ValueError, match="X contains infinity"):
            DenoisingTransformer(noise=noise, **QUICK).fit(rows)


@pytest.mark.parametrize("estimator", [AutoencoderTransformer, Detector])
def test_gaps_are_for_the_denoiser_alone(estimator: type) -> None:
    with pytest.raises(ValueError, match="leaves gaps, which only DenoisingTransform"):
        estimator(noise=GAPS, max_iter=1).fit(X)


def test_score_needs_the_clean_rows_of_pairs() -> None:
    denoiser = DenoisingTransformer(**QUICK).fit(SMALL, X_clean=X)
    with pytest.raises(ValueError, match=r"X_clean is missing, .* pass it as in fit"):
        denoiser.score(SMALL)
    with pytest.raises(ValueError, match=r"X_clean has 63 features.* with 64"):
        denoiser.score(SMALL, X_clean=X[:, :63])


def test_score_takes_the_columns_of_the_clean_table_in_their_order() -> None:
    clean = pd.DataFrame(X).add_prefix("pixel ")
    denoiser = DenoisingTransformer(**QUICK).fit(SMALL, X_clean=clean)
    with pytest.raises(ValueError, match="X_clean has other columns than in fit"):
        denoiser.score(SMALL, X_clean=clean.iloc[:, ::-1])


def test_a_noise_that_leaves_gaps_beside_pairs() -> None:
    gaps = np.where(np.arange(len(X))[:, None] == 3, np.nan, X)
    noise = MaskingNoise(0.3, fill="nan")
    with pytest.raises(ValueError, match=r"noise=.* is not used beside clean rows"):
        DenoisingTransformer(noise=noise, **QUICK).fit(gaps, X_clean=X)


def test_values_that_float32_has_no_room_for() -> None:
    """The precision of training; the error names value and column."""
    message = r" holds 3\.125e\+39 in column 2, row 0; values beyond 1e\+36 .* divide"
    with pytest.raises(ValueError, match="X" + message):
        DenoisingTransformer(**QUICK).fit(1e40 * X)
    with pytest.raises(ValueError, match="X_clean" + message):
        DenoisingTransformer(**QUICK).fit(X, X_clean=1e40 * X)


class TestRestoreImage:
    def test_of_a_table(self) -> None:
        denoiser = DenoisingTransformer(**QUICK).fit(X)
        with pytest.raises(ValueError, match="restore_image needs a network for imag"):
            denoiser.restore_image(np.zeros((8, 8)))

    def test_with_a_start_of_one_size(self) -> None:
        denoiser = DenoisingTransformer(network=images(8, 8), start="linear", **QUICK)
        with pytest.raises(ValueError, match=r"knows images of 8 x 8 .* start='local'"):
            denoiser.fit(X).restore_image(np.zeros((8, 8)))

    @pytest.mark.parametrize("shape", [(8,), (8, 8, 3), (1, 8, 8, 1)])
    def test_of_another_shape(self, shape: tuple[int, ...]) -> None:
        denoiser = DenoisingTransformer(network=images(8, 8), start="local", **QUICK)
        with pytest.raises(ValueError, match=r"image must have .* and 1 channel\(s\)"):
            denoiser.fit(X).restore_image(np.zeros(shape))

    def test_with_gaps(self) -> None:
        denoiser = DenoisingTransformer(network=images(8, 8), start="local", **QUICK)
        with pytest.raises(ValueError, match=r"image contains NaN; .* noise=Masking"):
            denoiser.fit(X).restore_image(np.full((8, 8), np.nan))

    def test_before_fit(self) -> None:
        with pytest.raises(NotFittedError):
            DenoisingTransformer().restore_image(np.zeros((8, 8)))
