"""Scorers for a search over outlier detectors."""

from skae.model_selection._scorers import (
    outlier_average_precision_scorer,
    outlier_roc_auc_scorer,
)

__all__ = ["outlier_average_precision_scorer", "outlier_roc_auc_scorer"]
