"""
==================
Compressing images
==================

A digit of 64 pixels is kept as a few numbers, and so is every block of a photograph.
:class:`~skae.AutoencoderTransformer` and PCA get the same numbers for each, and what
comes back is compared by its peak signal-to-noise ratio (PSNR): 3 decibels more are
half the squared error.

All errors are on digits and blocks that were not fitted.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits, load_sample_image
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from skae import AutoencoderTransformer
from skae.plotting import ReconstructionDisplay


def restore(reducer: PCA | AutoencoderTransformer, X: np.ndarray) -> np.ndarray:
    """Compress rows to the components and back."""
    return reducer.inverse_transform(reducer.transform(X)).clip(0, 1)


def psnr(X: np.ndarray, restored: np.ndarray) -> float:
    """In decibels, for values in [0, 1]."""
    return -10 * np.log10(np.square(X - restored).mean())


def compare(train: np.ndarray, test: np.ndarray, n_components: list[int]):
    """Fit both for each number of components; return the fits and print the PSNR."""
    fits = {
        k: {
            "PCA": PCA(n_components=k).fit(train),
            "AutoencoderTransformer": AutoencoderTransformer(
                n_components=k, random_state=0
            ).fit(train),
        }
        for k in n_components
    }
    ratios = {
        k: {name: psnr(test, restore(fit, test)) for name, fit in pair.items()}
        for k, pair in fits.items()
    }
    table = pd.DataFrame(ratios).T.rename_axis("numbers")
    print(table.round(2).to_string())
    return fits


# %%
# Digits
# ------
#
# Half of PCA's numbers are enough for the autoencoder.

train, test = train_test_split(load_digits().data / 16, random_state=0)
digits = compare(train, test, [2, 4, 8, 16])

# %%

_, axes = plt.subplots(2, 1, figsize=(10, 5), layout="constrained")
for axis, (name, reducer) in zip(axes, digits[8].items(), strict=True):
    restored = restore(reducer, test[:10])
    ReconstructionDisplay(
        original=test[:10], reconstruction=restored, image_shape=(8, 8)
    ).plot(ax=axis)
    axis.set_title(f"{name}, 8 numbers for each digit")

# %%
# A photograph
# ------------
#
# Blocks of 8 x 8 grey pixels; a random three quarters of them are fitted. A block of a
# photograph is mostly smooth, which PCA describes well: there is next to nothing to
# gain.

SIDE = 8
photo = load_sample_image("flower.jpg").mean(axis=2) / 255
n_rows, n_columns = (length // SIDE for length in photo.shape)
photo = photo[: n_rows * SIDE, : n_columns * SIDE]
blocks = photo.reshape(n_rows, SIDE, n_columns, SIDE).swapaxes(1, 2)
blocks = blocks.reshape(-1, SIDE * SIDE)
train, test = train_test_split(blocks, random_state=0)
photographs = compare(train, test, [4])

# %%
# A part of it, from four numbers for each block of 64 pixels.


def assembled(blocks: np.ndarray) -> np.ndarray:
    """The photograph from its blocks."""
    grid = blocks.reshape(n_rows, n_columns, SIDE, SIDE)
    return grid.swapaxes(1, 2).reshape(photo.shape)


pictures = {"original": photo} | {
    name: assembled(restore(reducer, blocks))
    for name, reducer in photographs[4].items()
}
_, axes = plt.subplots(1, 3, figsize=(10, 3.5), layout="compressed")
for axis, (name, picture) in zip(axes, pictures.items(), strict=True):
    axis.imshow(picture[120:320, 200:400], cmap="gray", vmin=0, vmax=1)
    axis.set_title(name)
    axis.set_axis_off()
