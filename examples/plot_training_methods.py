"""
======================
Three ways to train it
======================

The same deep autoencoder is trained in three ways: all layers *jointly*; with *tied*
weights, the decoder using the transposed matrices of the encoder; and *layer by layer*,
each first trained alone on the codes of the layer below, before all are fine-tuned
together.

All have the same number of rounds, which for the third are divided among its phases.
They are fitted twice, where the way of training hardly matters and where it does.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from skae import AutoencoderTransformer
from skae.networks import DenseNetwork
from skae.plotting import TrainingCurveDisplay

N_COMPONENTS = 8

# %%
# The three
# ---------
#
# ``start=None`` leaves PCA out of them, and ``n_iter_no_change`` is so large that no
# training ends early. For comparison there is PCA, and joint training that starts at
# it, which is what :class:`~skae.AutoencoderTransformer` does by default.


def autoencoders(hidden_layer_sizes: tuple[int, ...], activation: str, n_rounds: int):
    """The three by name and a fourth, with the same shape and number of rounds."""
    n_phases = len(hidden_layer_sizes) + 2  # each layer, the code, fine-tuning
    ways = {
        "joint": {"max_iter": n_rounds},
        "tied": {"max_iter": n_rounds},
        "layer by layer": {
            "max_iter": n_rounds // n_phases,
            "pretraining": "layerwise",
        },
        "joint, PCA as the start": {"max_iter": n_rounds, "start": "pca"},
    }
    return {
        name: AutoencoderTransformer(
            N_COMPONENTS,
            network=DenseNetwork(
                hidden_layer_sizes, activation, tied_weights=name == "tied"
            ),
            n_iter_no_change=n_rounds,
            random_state=0,
            **{"start": None} | parameters,
        )
        for name, parameters in ways.items()
    }


X, y = load_digits(return_X_y=True)
train, test, y_train, y_test = train_test_split(X / 16, y, random_state=0)


def compare(n_rows: int, **shape_and_rounds) -> None:
    """Fit all three, print what they cost and reach, draw their curves."""
    rows, labels = train[:n_rows], y_train[:n_rows]

    def judged(name, reducer, seconds=np.nan):
        restored = reducer.inverse_transform(reducer.transform(test))
        neighbors = KNeighborsClassifier().fit(reducer.transform(rows), labels)
        deviations = np.square(test - rows.mean(axis=0)).sum()
        return {
            "": name,
            "error": np.square(test - restored).sum() / deviations,
            "accuracy": neighbors.score(reducer.transform(test), y_test),
            "CPU seconds": seconds,
        }

    results = [judged("PCA", PCA(N_COMPONENTS).fit(rows))]
    _, axes = plt.subplot_mosaic(
        [["joint", "tied"], ["layer by layer", "layer by layer"]],
        figsize=(10, 6),
        layout="constrained",
    )
    for name, autoencoder in autoencoders(**shape_and_rounds).items():
        begin = time.process_time()
        autoencoder.fit(rows)
        results.append(judged(name, autoencoder, time.process_time() - begin))
        if name in axes:
            TrainingCurveDisplay.from_estimator(autoencoder, ax=axes[name])
            axes[name].set_title(name)
    print(pd.DataFrame(results).set_index("").round(3).to_string())


# %%
# Many rows and two hidden layers
# -------------------------------
#
# ``error`` is the share of the variance of held-out digits that does not come back,
# ``accuracy`` that of the nearest neighbours in the space of the components.

compare(1347, hidden_layer_sizes=(64, 32), activation="silu", n_rounds=32)

# %%
# A layer that is trained alone is judged on the codes it sees: losses can be compared
# within a phase only. At the same number of rounds joint training gets further.

# %%
# A hundred rows, five hidden layers
# ----------------------------------
#
# All with the logistic function, as in the days when the method was found.

compare(
    100, hidden_layer_sizes=(64, 48, 32, 24, 16), activation="logistic", n_rounds=70
)

# %%
# Jointly, with or without tied weights, this network hardly leaves the mean of the
# rows: hardly any gradient comes through so many flat functions. Layer by layer it
# learns, but less than PCA knows at once. Held-out rows show that too: with PCA as the
# start, the network is dropped.
