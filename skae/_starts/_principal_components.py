"""Principal components: the spectrum of a table, and PCA as a module."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy import linalg
from sklearn.utils.extmath import svd_flip
from torch import nn

from skae._tables import magnitude, row_blocks
from skae.networks._layers import Affine


class PrincipalComponents:
    """All principal components of a table, computed in float64 in bounded memory.

    A centred Gram matrix is accumulated over blocks of rows, so a large float32 table
    is never copied. scikit-learn's ``PCA`` copies it, and its covariance solver
    subtracts the mean after the product, which loses the digits of columns far from
    zero.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
    components_ : ndarray of shape (min(n_samples, n_features), n_features)
        Rows in the order of decreasing variance, with PCA's signs.
    explained_variance_ : ndarray of shape (min(n_samples, n_features),)
        Unbiased, as in PCA.
    explained_variance_ratio_ : ndarray of shape (min(n_samples, n_features),)
        Shares in the variance of the table.
    """

    def fit(self, X: np.ndarray) -> PrincipalComponents:
        n_samples, n_features = X.shape
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        unit = magnitude(X)
        if n_samples < n_features:
            centred = (X - self.mean_) / unit
            _, singular, components = linalg.svd(centred, full_matrices=False)
            squares = singular**2
        else:
            squares, vectors = linalg.eigh(self._gram(X, unit))
            squares = squares[::-1].clip(min=0)
            # In one piece: numpy before 2.3 multiplies by a reversed array without
            # BLAS, slowly, and by a copy of it with other last bits.
            components = np.ascontiguousarray(vectors.T[::-1])
        _, self.components_ = svd_flip(None, components, u_based_decision=False)
        self.explained_variance_ = squares * unit**2 / max(n_samples - 1, 1)
        total = squares.sum()
        self.explained_variance_ratio_ = squares / (total if total > 0 else 1.0)
        return self

    def _gram(self, X: np.ndarray, unit: float) -> np.ndarray:
        """Sum of products of the centred features, in float64.

        A block's products are in the precision of X, as the table itself is.
        """
        n_features = X.shape[1]
        gram = np.zeros((n_features, n_features))
        mean, unit = self.mean_.astype(X.dtype), X.dtype.type(unit)
        for rows in row_blocks(*X.shape):
            centred = X[rows] - mean
            centred /= unit
            gram += centred.T @ centred
        return gram

    def latent_scale(self, n_components: int) -> np.ndarray:
        """Standard deviation of each score; one that is null gets the smallest other.

        A network may put information where PCA has none, so no scale may be zero.
        """
        sd = np.zeros(n_components)
        found = np.sqrt(self.explained_variance_[:n_components])
        sd[: len(found)] = found
        present = sd > sd.max() * np.sqrt(np.finfo(np.float64).eps)
        return np.where(present, sd, sd[present].min() if present.any() else 1.0)

    def n_components_for(self, share: float) -> int:
        """Return the least number of components with more than `share` of the variance.

        The same rule as PCA's.
        """
        shares = self.explained_variance_ratio_.cumsum()
        return min(int(np.searchsorted(shares, share, side="right")) + 1, len(shares))

    def n_coordinates_for(self, n_components: int, dropped: float = 0.01) -> int:
        """Return how many components to keep as the inputs of a network.

        What is left out is at most the share `dropped` of what `n_components` miss, and
        every product of the first and the last layer is the cheaper for it.
        """
        missed = self.explained_variance_[::-1].cumsum()[::-1]
        missed = np.append(missed, 0.0)
        negligible = missed <= dropped * missed[n_components]
        return max(n_components, int(negligible.argmax()))

    def truncated(self, n_components: int) -> PrincipalComponents:
        """Return the first components, with memory of their own."""
        first = PrincipalComponents()
        first.mean_ = self.mean_
        for name in (
            "components_",
            "explained_variance_",
            "explained_variance_ratio_",
        ):
            setattr(first, name, getattr(self, name)[:n_components].copy())
        return first

    def in_coordinates(
        self, basis: np.ndarray | None, scale: float
    ) -> PrincipalComponents:
        """Return the same components for rows centred, projected and divided."""
        moved = PrincipalComponents()
        moved.components_ = (
            self.components_ if basis is None else self.components_ @ basis.T
        )
        moved.mean_ = np.zeros(moved.components_.shape[1])
        moved.explained_variance_ = self.explained_variance_ / scale**2
        moved.explained_variance_ratio_ = self.explained_variance_ratio_
        return moved


class FixedLinear(Affine):
    """One affine map per member that is not trained with the network beside it.

    Parameters
    ----------
    weight : ndarray of shape (members, n_in, n_out)
    bias : ndarray of shape (members, 1, n_out)
    """

    def __init__(self, weight: np.ndarray, bias: np.ndarray) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight), requires_grad=False)
        self.bias = nn.Parameter(torch.tensor(bias), requires_grad=False)


def linear_maps(
    members: Sequence[PrincipalComponents], n_components: int
) -> tuple[FixedLinear, FixedLinear]:
    """PCA's encoder and decoder, one per member, with codes of unit variance."""
    means = np.stack([member.mean_ for member in members])[:, None]
    scales = np.stack([member.latent_scale(n_components) for member in members])
    components = np.zeros((*scales.shape, means.shape[-1]))
    for row, member in zip(components, members, strict=True):
        # A fold of few rows has fewer components than the table; the rest is zero.
        row[: len(member.components_)] = member.components_[:n_components]
    encoder_weight = (components / scales[..., None]).transpose(0, 2, 1)
    encoder = FixedLinear(encoder_weight, -means @ encoder_weight)
    return encoder, FixedLinear(components * scales[..., None], means)
