"""
==============================
Enlarging digits and a photo
==============================

:class:`~skae.DenoisingTransformer` learns from pairs of images how a small one becomes
a large one. ``X`` are the small images, and ``X_clean`` are the large ones.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import zoom
from sklearn.datasets import load_digits, load_sample_image
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split

from skae import DenoisingTransformer
from skae.networks import ConvolutionalNetwork


def halve(images: np.ndarray) -> np.ndarray:
    """Return the means of two by two pixels of images (n, height, width)."""
    n, height, width = images.shape
    blocks = images.reshape(n, height // 2, 2, width // 2, 2)
    return blocks.mean(axis=(2, 4))


def bicubic(images: np.ndarray) -> np.ndarray:
    """Return images of twice the height and width, splines through the pixels."""
    return zoom(images, (1, 2, 2), order=3, mode="nearest", grid_mode=True)


def psnr(restored: np.ndarray, original: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio, its mean over the images."""
    errors = (restored - original).reshape(len(original), -1) ** 2
    return float(-10 * np.log10(errors.mean(axis=1)).mean())


# %%
# Digits of four by four pixels
# -----------------------------
#
# The small images have 16 pixels and the large ones 64. The linear map from the ones to
# the others is one of the starts that held-out images choose from.

X, y = load_digits(return_X_y=True)
large = X.reshape(-1, 8, 8) / 16
train, test, _, digits = train_test_split(large, y, test_size=0.3, random_state=0)
small_train, small_test = halve(train), halve(test)
rows, small_rows = train.reshape(-1, 64), small_train.reshape(-1, 16)

enlarger = DenoisingTransformer(
    network=ConvolutionalNetwork(image_shape=(8, 8)), random_state=0
).fit(small_rows, X_clean=rows)
ridge = Ridge(alpha=0.1).fit(small_rows, rows)

asked = small_test.reshape(-1, 16)
enlarged = {
    "nearest pixel": small_test.repeat(2, axis=1).repeat(2, axis=2),
    "bicubic": bicubic(small_test),
    "ridge": ridge.predict(asked).reshape(-1, 8, 8),
    "DenoisingTransformer": enlarger.transform(asked).reshape(-1, 8, 8),
    "original": test,
}
chosen = [int(np.flatnonzero(digits == digit)[0]) for digit in range(10)]
figure, axes = plt.subplots(len(enlarged), 10, figsize=(9, 4.8), layout="compressed")
for axis_row, (name, images) in zip(axes, enlarged.items(), strict=True):
    label = name if name == "original" else f"{name}\n{psnr(images, test):.1f} dB"
    axis_row[0].set_ylabel(label, rotation=0, ha="right", va="center")
    for axis, image in zip(axis_row, images[chosen], strict=True):
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)

# %%
# A photo
# -------
#
# Here the network learns on patches of the left half of a photo. Nothing in it depends
# on the size of an image, so that ``restore_image`` enlarges the right half in one
# piece.

photo = load_sample_image("flower.jpg")[:426] / 255 @ [0.299, 0.587, 0.114]
left, right = photo[:, :320], photo[:, 320:]
side = 32
patches = extract_patches_2d(left, (side, side), max_patches=3000, random_state=0)
photo_enlarger = DenoisingTransformer(
    network=ConvolutionalNetwork(image_shape=(side, side)), random_state=0
).fit(
    halve(patches).reshape(len(patches), -1), X_clean=patches.reshape(len(patches), -1)
)

small = halve(right[None])[0]
versions = {
    "nearest pixel": small.repeat(2, axis=0).repeat(2, axis=1),
    "bicubic": bicubic(small[None])[0],
    "DenoisingTransformer": photo_enlarger.restore_image(small),
    "original": right,
}
window = np.s_[150:250, 0:120]
figure, axes = plt.subplots(1, 4, figsize=(10, 2.9), layout="compressed")
for axis, (name, image) in zip(axes, versions.items(), strict=True):
    quality = "" if name == "original" else f"\n{psnr(image[None], right[None]):.1f} dB"
    axis.imshow(image[window], cmap="gray", vmin=0, vmax=1)
    axis.set_title(name + quality, fontsize=10)
    axis.set_axis_off()
