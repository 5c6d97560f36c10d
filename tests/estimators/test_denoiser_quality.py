"""Better than the best start, by a margin, on digits that were not seen."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skae import DenoisingTransformer
from skae.networks import ConvolutionalNetwork
from skae.noise import GaussianNoise, MaskingNoise

X = load_digits().data / 16
TRAIN, TEST = X[:1200], X[1200:]
IMAGES = ConvolutionalNetwork((8, 8))
GAIN = 1.0  # decibel


@pytest.mark.parametrize("network", ["dense", IMAGES], ids=["dense", "images"])
@pytest.mark.parametrize(
    "noise", [GaussianNoise(0.2), MaskingNoise(0.3, fill="nan")], ids=repr
)
def test_more_than_the_start(network, noise) -> None:
    denoiser = DenoisingTransformer(
        noise=noise, network=network, max_iter=5, random_state=0
    ).fit(TRAIN)
    restored = denoiser.score(TEST)
    denoiser.module_.weight = 0.0
    assert denoiser.start_ == "linear"
    assert restored > denoiser.score(TEST) + (GAIN if network is IMAGES else GAIN / 2)


def test_enlarged_images() -> None:
    train, test = (
        rows.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
        for rows in (TRAIN, TEST)
    )
    denoiser = DenoisingTransformer(network=IMAGES, max_iter=5, random_state=0)
    restored = denoiser.fit(train, X_clean=TRAIN).score(test, X_clean=TEST)
    denoiser.module_.weight = 0.0
    assert restored > denoiser.score(test, X_clean=TEST) + GAIN


def test_spectra() -> None:
    """Bands of varying height and place: the network sees more than a linear map."""
    rng = np.random.RandomState(0)
    place = rng.uniform(0.2, 0.8, size=(1000, 1))
    height = rng.uniform(1, 3, size=(1000, 1))
    grid = np.linspace(0, 1, 80)
    spectra = height * np.exp(-0.5 * ((grid - place) / 0.03) ** 2)
    denoiser = DenoisingTransformer(noise=GaussianNoise(0.3), random_state=0)
    restored = denoiser.fit(spectra[:800]).score(spectra[800:])
    denoiser.module_.weight = 0.0
    assert restored > denoiser.score(spectra[800:]) + 2 * GAIN
