"""
========================================
Noisy spectra cleaned before a regressor
========================================

A spectrometer measures mixtures of three substances. Concentrations are known for few
of them, since a laboratory has to determine each; but there is a library of clean
spectra, averaged over many scans. :class:`~skae.DenoisingTransformer` learns from the
library what spectra look like, and cleans single noisy scans before a regression.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline

from skae import DenoisingTransformer
from skae.noise import GaussianNoise

# %%
# Spectra
# -------
#
# A band moves to the right as its substance becomes more concentrated, and absorption
# saturates. That is why spectra do not lie in a flat space of a few dimensions.

channels = np.linspace(0, 1, 120)
rng = np.random.default_rng(0)


def spectra(concentrations: np.ndarray) -> np.ndarray:
    """Return what the spectrometer would measure without noise."""
    absorbed = np.zeros((len(concentrations), len(channels)))
    for substance, (center, width) in enumerate(
        [(0.2, 0.03), (0.5, 0.05), (0.7, 0.04)]
    ):
        amount = concentrations[:, substance, None]
        absorbed += amount * np.exp(
            -0.5 * ((channels - center - 0.1 * amount) / width) ** 2
        )
    return 1 - np.exp(-absorbed)


def scan(clean: np.ndarray, deviation: float = 0.1) -> np.ndarray:
    """Return single scans of clean spectra."""
    return clean + deviation * rng.normal(size=clean.shape)


library = spectra(rng.uniform(0, 1.5, size=(3000, 3)))
train_y, test_y = rng.uniform(0, 1.5, size=(60, 3)), rng.uniform(0, 1.5, size=(500, 3))
train, test = scan(spectra(train_y)), scan(spectra(test_y))

# %%
# Three pipelines
# ---------------
#
# What cleans the scans is fitted to the library alone; the regression, to 60 scans with
# a known concentration of the second substance.

cleaners = {
    "nothing": None,
    "PCA, 10 components": PCA(10).fit(library),
    "DenoisingTransformer": DenoisingTransformer(
        noise=GaussianNoise(0.1), random_state=0
    ).fit(library),
}

# A frozen step of a pipeline is not fitted again.
errors = {}
for name, cleaner in cleaners.items():
    steps = [] if cleaner is None else [FrozenEstimator(cleaner)]
    model = make_pipeline(*steps, RidgeCV(np.logspace(-4, 4, 17)))
    model.fit(train, train_y[:, 1])
    error = model.predict(test) - test_y[:, 1]
    print(f"{name:20} RMSE of the concentration {np.sqrt(np.mean(error**2)):.3f}")

# %%
# One of the scans.

cleaned = {
    "PCA": cleaners["PCA, 10 components"].inverse_transform(
        cleaners["PCA, 10 components"].transform(test)
    ),
    "DenoisingTransformer": cleaners["DenoisingTransformer"].transform(test),
}
figure, axes = plt.subplots(1, 2, figsize=(10, 3.5), sharey=True, layout="constrained")
for axis, (name, rows) in zip(axes, cleaned.items(), strict=True):
    axis.plot(channels, test[0], ".", color="lightgrey", label="single scan")
    axis.plot(channels, spectra(test_y)[0], color="black", lw=1, label="without noise")
    axis.plot(channels, rows[0], color="tab:red", label="cleaned")
    axis.set(title=name, xlabel="wavelength")
axes[0].set_ylabel("absorption")
axes[0].legend()
