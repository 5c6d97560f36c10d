"""
================
Cleaning a photo
================

:class:`~skae.DenoisingTransformer` is fitted to small patches of one photo. With a
convolutional network, the fitted estimator restores images of any size:
``restore_image`` takes another photo as it is, in colour.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image
from sklearn.feature_extraction.image import extract_patches_2d

from skae import DenoisingTransformer
from skae.networks import ConvolutionalNetwork
from skae.noise import GaussianNoise, MaskingNoise

# %%
# Patches to learn from
# ---------------------

known = load_sample_image("china.jpg") / 255
photo = load_sample_image("flower.jpg") / 255
shape = 32, 32, 3
patches = extract_patches_2d(known, shape[:2], max_patches=3000, random_state=0)
rows = patches.reshape(len(patches), -1)


def psnr(restored: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio of the photo in decibels."""
    return float(-10 * np.log10(np.mean((restored - photo) ** 2)))


# %%
# Noise
# -----

denoiser = DenoisingTransformer(
    noise=GaussianNoise(0.2),
    network=ConvolutionalNetwork(image_shape=shape),
    random_state=0,
).fit(rows)

noisy = photo + 0.2 * np.random.default_rng(0).normal(size=photo.shape)
began = time.perf_counter()
cleaned = denoiser.restore_image(noisy)
print(
    f"{photo.shape[0]} x {photo.shape[1]} pixels in {time.perf_counter() - began:.1f} s"
)

# %%
# Hidden pixels
# -------------
#
# Half of the values are hidden, each channel by itself. Hidden values are NaN; those
# that are observed come back as they are.

completer = DenoisingTransformer(
    noise=MaskingNoise(0.5, fill="nan"),
    network=ConvolutionalNetwork(image_shape=shape),
    random_state=0,
).fit(rows)

hidden = np.random.default_rng(1).random(photo.shape) < 0.5
with_gaps = np.where(hidden, np.nan, photo)
completed = completer.restore_image(with_gaps)

# %%
# A part of the photo. The network never clips: values a little below 0 or above 1 are
# for the picture to cut off.

window = np.s_[100:260, 220:420]
pictures = {
    f"noise 0.2, {psnr(noisy):.1f} dB": noisy,
    f"cleaned, {psnr(cleaned):.1f} dB": cleaned,
    "half of the values hidden": np.where(hidden, 0, photo),
    f"completed, {psnr(completed):.1f} dB": completed,
    "original": photo,
}
figure, axes = plt.subplots(1, 5, figsize=(13, 2.6), layout="compressed")
for axis, (title, image) in zip(axes, pictures.items(), strict=True):
    axis.imshow(image[window].clip(0, 1))
    axis.set_title(title, fontsize=9)
    axis.set_axis_off()
