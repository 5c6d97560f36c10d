"""
=======================
Cleaning noisy digits
=======================

Handwritten digits are covered with noise and cleaned again: by a median filter, by
keeping the first principal components, by kernel PCA, and by
:class:`~skae.DenoisingTransformer`, a network that learned on other digits how to undo
such noise.

Every other method has the setting that is best on the very images that are shown.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import median_filter
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, KernelPCA
from sklearn.model_selection import train_test_split

from skae import DenoisingTransformer
from skae.networks import ConvolutionalNetwork
from skae.noise import GaussianNoise

# %%
# Digits and noise
# ----------------
#
# The noise has a standard deviation of 0.25; white is 0 and black is 1. How close a
# cleaned image is to the original one is measured by the peak signal-to-noise ratio in
# decibels: three more mean half the squared error.

X, y = load_digits(return_X_y=True)
train, test, _, digits = train_test_split(X / 16, y, test_size=0.3, random_state=0)
noisy = test + 0.25 * np.random.default_rng(0).normal(size=test.shape)


def psnr(restored: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio, its mean over the test images."""
    return float(-10 * np.log10(np.mean((restored - test) ** 2, axis=1)).mean())


# %%
# Four ways to clean them
# -----------------------
#
# Kernel PCA is used as in scikit-learn's own example of denoising: images are projected
# and brought back by a learned inverse.


def filtered(size: int) -> np.ndarray:
    images = median_filter(noisy.reshape(-1, 8, 8), size=(1, size, size))
    return images.reshape(noisy.shape)


def projected(model: PCA | KernelPCA) -> np.ndarray:
    model.fit(train)
    return model.inverse_transform(model.transform(noisy))


denoiser = DenoisingTransformer(
    noise=GaussianNoise(0.25),
    network=ConvolutionalNetwork(image_shape=(8, 8)),
    random_state=0,
).fit(train)

kernel_settings = {
    "n_components": 300,
    "kernel": "rbf",
    "fit_inverse_transform": True,
    "random_state": 0,
}
cleaned = {
    "noisy": noisy,
    "median filter": max(map(filtered, (2, 3)), key=psnr),
    "PCA": max((projected(PCA(k)) for k in (8, 12, 16, 24)), key=psnr),
    "kernel PCA": max(
        (
            projected(KernelPCA(gamma=gamma, alpha=alpha, **kernel_settings))
            for gamma in (0.03, 0.1, 0.3)
            for alpha in (5e-3, 0.05)
        ),
        key=psnr,
    ),
    "DenoisingTransformer": denoiser.transform(noisy),
}
for name, images in cleaned.items():
    print(f"{name:21} {psnr(images):.1f} dB")

# %%
# One image of each digit, the original ones in the last row.

chosen = [int(np.flatnonzero(digits == digit)[0]) for digit in range(10)]
rows = cleaned | {"original": test}
figure, axes = plt.subplots(len(rows), 10, figsize=(9, 6), layout="compressed")
for axis_row, (name, images) in zip(axes, rows.items(), strict=True):
    label = name if name == "original" else f"{name}\n{psnr(images):.1f} dB"
    axis_row[0].set_ylabel(label, rotation=0, ha="right", va="center")
    for axis, image in zip(axis_row, images[chosen], strict=True):
        axis.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)

# %%
# Noise of unknown strength
# -------------------------
#
# Is the strength not known, it is learned with a range. ``score`` with ``X_clean``
# compares what becomes of degraded images with the clean ones.

general = DenoisingTransformer(
    noise=GaussianNoise((0.05, 0.5)),
    network=ConvolutionalNetwork(image_shape=(8, 8)),
    random_state=0,
).fit(train)
rng = np.random.default_rng(1)
print("deviation    noisy   fitted to 0.25   fitted to 0.05 to 0.5")
for deviation in (0.1, 0.25, 0.4):
    noisy = test + deviation * rng.normal(size=test.shape)
    special, ranged = (
        model.score(noisy, X_clean=test) for model in (denoiser, general)
    )
    print(f"{deviation:9} {psnr(noisy):5.1f} dB {special:13.1f} dB {ranged:20.1f} dB")
