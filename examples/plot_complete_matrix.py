"""
================================
Completing a matrix of sensors
================================

Twenty-four sensors along a pipe measure the temperature, but most of them are silent
most of the time: 80 % of the matrix of times and sensors is missing. A time is a row,
so filling its gaps is what an imputer does.

:class:`~skae.DenoisingImputer` is compared with column means and with the classical
method for matrices, a matrix of low rank that agrees with what is known.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.impute import SimpleImputer

from skae import DenoisingImputer

# %%
# The matrix
# ----------
#
# Warm water enters in waves that travel along the pipe and become wider on their way.
# A wave that travels is not a product of one function of the time and one of the place,
# so the matrix has no low rank.

rng = np.random.default_rng(0)
n_times, n_sensors = 2000, 24
times, places = np.arange(n_times)[:, None], np.linspace(0, 1, n_sensors)
temperature = 20 + 2 * np.sin(2 * np.pi * times / 400) * (1 - places)
for start in np.cumsum(rng.uniform(40, 90, size=30)):
    width = 12 + 10 * places
    delay = (times - start - 30 * places) / width
    temperature = temperature + 8 * rng.uniform(0.6, 1.4) * np.exp(-(delay**2))
measured = temperature + rng.normal(scale=0.1, size=temperature.shape)
known = rng.random(measured.shape) < 0.2
matrix = np.where(known, measured, np.nan)

# %%
# Three ways to complete it
# -------------------------
#
# The rank is the one with the least error, which nobody knows in advance; the imputer
# is used as it is.


def complete_with_low_rank(matrix: np.ndarray, rank: int) -> np.ndarray:
    """Alternate between the best matrix of this rank and what is known."""
    gaps = np.isnan(matrix)
    filled = SimpleImputer().fit_transform(matrix)
    mean = filled.mean(axis=0)
    for _ in range(200):
        left, singular, right = np.linalg.svd(filled - mean, full_matrices=False)
        approximation = (left[:, :rank] * singular[:rank]) @ right[:rank] + mean
        filled = np.where(gaps, approximation, matrix)
    return filled


def error(filled: np.ndarray) -> float:
    return float(np.sqrt(np.mean((filled - temperature)[~known] ** 2)))


low_rank = {rank: complete_with_low_rank(matrix, rank) for rank in range(1, 7)}
best_rank = min(low_rank, key=lambda rank: error(low_rank[rank]))
completed = {
    "column means": SimpleImputer().fit_transform(matrix),
    f"low rank ({best_rank}, the best)": low_rank[best_rank],
    "DenoisingImputer": DenoisingImputer(random_state=0).fit_transform(matrix),
}
for name, filled in completed.items():
    print(f"{name:25} RMSE {error(filled):.2f} degrees")

# %%

pictures = {"measured": matrix, "truth": temperature} | completed
figure, axes = plt.subplots(
    len(pictures), 1, figsize=(10, 8), sharex=True, layout="constrained"
)
for axis, (name, picture) in zip(axes, pictures.items(), strict=True):
    image = axis.imshow(
        picture[:500].T, aspect="auto", vmin=18, vmax=32, interpolation="none"
    )
    title = f"{name}, RMSE {error(picture):.2f}" if name in completed else name
    axis.set_title(title, loc="left", fontsize=10)
    axis.set_ylabel("sensor")
axes[-1].set_xlabel("time")
figure.colorbar(image, ax=axes, label="temperature")
