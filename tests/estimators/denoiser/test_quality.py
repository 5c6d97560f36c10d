"""On digits that were not seen: better than the start, and never worse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from skae import DenoisingTransformer
from skae.networks import ConvolutionalNetwork
from skae.noise import (
    GaussianNoise,
    MaskingNoise,
    Noise,
    SaltAndPepperNoise,
    SwapNoise,
    Units,
)

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
    denoiser = DenoisingTransformer(
        network=IMAGES, start="linear", max_iter=5, random_state=0
    )
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


NOISES = [
    GaussianNoise(0.1),
    GaussianNoise((0.0, 0.5)),
    MaskingNoise(0.3),
    MaskingNoise(0.1, fill="mean"),
    MaskingNoise((0.1, 0.6), fill="nan"),
    SaltAndPepperNoise(0.1),
    SwapNoise(0.2),
]
NEVER = 0.1  # decibel that chance may take
SHUFFLED = np.random.RandomState(0).permutation(X)  # or new digits have other writers
NEW = SHUFFLED[-600:]


def degraded(noise: Noise, training: np.ndarray) -> np.ndarray:
    """New rows after a noise that was told of the training rows."""
    nothing = torch.zeros(training.shape[1], dtype=torch.float64)
    corrupt = noise.corruption(torch.from_numpy(training), nothing, Units())
    generator = torch.Generator().manual_seed(0)
    return corrupt(torch.from_numpy(NEW)[None], generator)[0].numpy()


def decibels(denoiser: DenoisingTransformer, noisy: np.ndarray, weight: float) -> float:
    """Of the mean squared error on new rows, which is what the held-out rows judge.

    Unlike the mean over the decibels of rows, it does not hang on the few rows of which
    a noise of single values left all as it was.
    """
    kept, denoiser.module_.weight = denoiser.module_.weight, weight
    squares = np.square(denoiser.transform(noisy) - NEW)
    denoiser.module_.weight = kept
    hidden = np.isnan(noisy)
    if hidden.any():
        some = hidden.any(axis=1)
        error = squares[some].mean(axis=1, where=hidden[some]).mean()
    else:
        error = squares.mean()
    return -10 * np.log10(error)


def assert_never_worse(denoiser: DenoisingTransformer, noisy: np.ndarray) -> None:
    restored = decibels(denoiser, noisy, denoiser.module_.weight)
    assert restored >= decibels(denoiser, noisy, 0.0) - NEVER


@pytest.mark.parametrize("start, n_samples", [("auto", 400), ("identity", 60)])
@pytest.mark.parametrize("noise", NOISES, ids=repr)
def test_rows_are_never_worse_than_the_start(
    noise: Noise, start: str, n_samples: int
) -> None:
    """Nor than as they were."""
    training = SHUFFLED[:n_samples]
    noisy = degraded(noise, training)
    denoiser = DenoisingTransformer(
        noise=noise, start=start, max_iter=3, random_state=0
    ).fit(training)
    assert_never_worse(denoiser, noisy)
    identity = DenoisingTransformer(noise=noise, start="identity", random_state=0)
    as_they_were = decibels(identity.fit(SHUFFLED[:19]), noisy, 0.0)
    restored = decibels(denoiser, noisy, denoiser.module_.weight)
    assert restored >= as_they_were - NEVER


@pytest.mark.parametrize("noise", NOISES, ids=repr)
def test_images_are_never_worse_than_the_start(noise: Noise) -> None:
    network = ConvolutionalNetwork((8, 8), channels=(4, 4))
    denoiser = DenoisingTransformer(
        noise=noise, network=network, start="local", max_iter=1, random_state=0
    ).fit(SHUFFLED[:200])
    assert_never_worse(denoiser, degraded(noise, SHUFFLED[:200]))


def test_of_what_cannot_be_learned_nothing_is_kept() -> None:
    """But by chance, which the held-out rows allow one time in twenty."""
    rng = np.random.RandomState(0)
    kept = 0
    for seed in range(6):
        rows, unrelated = rng.normal(size=(2, 200, 5))
        denoiser = DenoisingTransformer(max_iter=2, random_state=seed)
        kept += denoiser.fit(rows, X_clean=unrelated).uses_network_
    assert kept <= 1


@pytest.mark.parametrize("noise", NOISES, ids=repr)
@pytest.mark.parametrize("network", ["dense", IMAGES], ids=["dense", "images"])
def test_few_rows_are_left_as_they_were(noise: Noise, network) -> None:
    """None are held out of them, so nothing can prove that a change is of use."""
    denoiser = DenoisingTransformer(noise=noise, network=network, random_state=0)
    denoiser.fit(SHUFFLED[:19])
    assert denoiser.start_ == "identity"
    np.testing.assert_allclose(denoiser.transform(NEW), NEW, atol=1e-12)
