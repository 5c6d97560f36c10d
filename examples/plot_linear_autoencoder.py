"""
===========================
A linear autoencoder is PCA
===========================

An autoencoder without hidden layers and with the squared error can do no better than
PCA, and training finds what PCA has in closed form. Here it starts at random weights
and lays a plane through a cloud of points in three dimensions.

Two things are compared with PCA: the error, and the plane. A third one, the components
themselves, is not the same.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.linalg import subspace_angles
from scipy.spatial.transform import Rotation
from sklearn.decomposition import PCA

from skae import AutoencoderTransformer
from skae.networks import DenseNetwork
from skae.plotting import LatentSpaceDisplay

# %%
# The points
# ----------
#
# A flat cloud, tilted in space: its standard deviations are 3, 2 and 0.4. The four
# quarters of the cloud are classes, which only colour the pictures.

rng = np.random.default_rng(0)
flat = rng.normal(size=(1000, 3)) * [3, 2, 0.4]
X = Rotation.from_euler("yx", [-30, 20], degrees=True).apply(flat)
quarter = 2 * (flat[:, 0] > 0) + (flat[:, 1] > 0)

# %%
# The fits
# --------
#
# ``hidden_layer_sizes=()`` leaves one matrix on each side, and ``start=None`` leaves
# PCA out of it. Nothing is held out: the error on the points themselves is what PCA
# makes least.

pca = PCA(n_components=2).fit(X)
pca_error = np.square(X - pca.inverse_transform(pca.transform(X))).mean()


def linear_autoencoder(max_iter: int) -> AutoencoderTransformer:
    """Train so many rounds."""
    return AutoencoderTransformer(
        n_components=2,
        network=DenseNetwork(hidden_layer_sizes=()),
        start=None,
        cv=None,
        max_iter=max_iter,
        n_iter_no_change=20,
        random_state=0,
    ).fit(X)


def directions(autoencoder: AutoencoderTransformer) -> np.ndarray:
    """Two vectors that span the plane of all that it can decode."""
    corners = autoencoder.inverse_transform([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    return corners[1:] - corners[0]


rows = []
for max_iter in (1, 2, 3, 4, 6, 8, 12, 20):
    autoencoder = linear_autoencoder(max_iter)
    angles = subspace_angles(directions(autoencoder).T, pca.components_.T)
    rows.append(
        {
            "rounds": max_iter,
            "error / error of PCA": autoencoder.reconstruction_error(X).mean()
            / pca_error,
            "largest angle, degrees": np.rad2deg(angles.max()),
        }
    )
print(pd.DataFrame(rows).round(3).to_string(index=False))

# %%
# The plane
# ---------
#
# The grey plane is PCA's, seen almost from its edge. What the autoencoder restores of
# the points lies in it.

restored = autoencoder.reconstruct(X)
corners = pca.inverse_transform([[-8, -4], [-8, 4], [8, -4], [8, 4]])
figure = plt.figure(figsize=(10, 3.8), layout="constrained")
for position, (title, points) in enumerate(
    {"points": X, "restored by the autoencoder": restored}.items(), 1
):
    axis = figure.add_subplot(1, 2, position, projection="3d")
    axis.plot_surface(*corners.T.reshape(3, 2, 2), color="grey", alpha=0.3)
    for label in range(4):
        axis.scatter(*points[quarter == label].T, s=3)
    axis.set(title=title, xlim=(-9, 9), ylim=(-7, 7), zlim=(-6, 6))
    axis.set(xticks=[], yticks=[], zticks=[])
    axis.set_box_aspect((18, 14, 12), zoom=1.2)
    axis.view_init(elev=5, azim=-75)

# %%
# The components
# --------------
#
# PCA's components are uncorrelated and sorted by variance. Any invertible mixture of
# them restores as much, and the autoencoder ends at one of these: the same picture,
# turned and sheared.

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for axis, reducer in zip(axes, (pca, autoencoder), strict=True):
    LatentSpaceDisplay.from_estimator(reducer, X, quarter, ax=axis, s=6)
    axis.set_title(type(reducer).__name__)
    axis.set_aspect("equal")
axes[0].get_legend().remove()
axes[1].get_legend().set_title("quarter")
