"""The outlier detector that stands where IsolationForest stands."""

from skae.estimators.detector._detector import ReconstructionOutlierDetector

__all__ = ["ReconstructionOutlierDetector"]
