"""
================================
Finding outliers and saying why
================================

:class:`~skae.ReconstructionOutlierDetector` next to three detectors of scikit-learn, on
rows that none of them was fitted on. Which rows are outliers is known here, and only
used to judge the detectors.

Each detector is fitted twice: on *clean* rows, all of them normal, and on
*contaminated* ones, the same rows and a few outliers that nobody has marked. The rows
that are scored are the same both times.
"""

import warnings
from argparse import ArgumentParser
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.metrics import RocCurveDisplay, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skae import ReconstructionOutlierDetector
from skae.plotting import ExplanationDisplay


def make_detectors() -> dict[str, BaseEstimator]:
    """Four detectors; only distances between rows need columns on one scale."""
    nearest = make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True))
    return {
        "ReconstructionOutlierDetector": ReconstructionOutlierDetector(random_state=0),
        "IsolationForest": IsolationForest(random_state=0),
        "LocalOutlierFactor": nearest,
        "EllipticEnvelope": EllipticEnvelope(random_state=0),
    }


# %%
# The rows
# --------
#
# One half of the normal rows is fitted, the other half is scored. Of the outliers, as
# many as make up a tenth of the contaminated rows are fitted; all others are scored.


def split(is_outlier: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Two choices of rows to fit, and the rows to score."""
    rng = np.random.default_rng(0)
    normal = rng.permutation(np.flatnonzero(~is_outlier))
    outliers = rng.permutation(np.flatnonzero(is_outlier))
    clean, normal = np.array_split(normal, 2)
    few, outliers = np.split(outliers, [len(clean) // 9])
    fitted = {"contaminated": np.concatenate([clean, few]), "clean": clean}
    return fitted, np.concatenate([normal, outliers])


# %%
# Breast cancer
# -------------
#
# 569 tumours, described by 30 measurements of their cells; 357 are benign, and these
# are the normal rows. The malignant ones were made rare among the rows that are fitted,
# not among those that are scored.

cancer = load_breast_cancer(as_frame=True)
measurements = cancer.data
malignant = (cancer.target == 0).to_numpy()
fitted, scored = split(malignant)

figure, axes = plt.subplots(
    1, 2, num="roc_curves", figsize=(10, 5), layout="compressed", sharey=True
)
for axis, (which, rows) in zip(axes, fitted.items(), strict=True):
    for name, detector in make_detectors().items():
        detector.fit(measurements.iloc[rows])
        # Outliers are the positive class and have low scores: the sign is turned.
        abnormality = -detector.score_samples(measurements.iloc[scored])
        RocCurveDisplay.from_predictions(
            malignant[scored], abnormality, name=name, ax=axis
        )
    axis.set_title(f"fitted on {which} rows")

# %%
# The four are close. Fitted on clean rows, a simpler one is a little ahead: benign rows
# form one cloud, and malignant ones lie beyond its edge, with most measurements larger;
# nothing has to be learnt about how these go together.

# %%
# Why is this row an outlier?
# ---------------------------
#
# The malignant row that is in the middle of their ranking, neither the easiest nor the
# hardest to find. The surprise of a row is divided among its features. Next to each
# is the value that was expected.

detector = ReconstructionOutlierDetector(random_state=0)
detector.fit(measurements.iloc[fitted["clean"]])
outliers = measurements.iloc[scored[malignant[scored]]]
ranking = np.argsort(detector.score_samples(outliers))
row = outliers.iloc[[ranking[len(ranking) // 2]]]

_, axis = plt.subplots(num="explanation", figsize=(8, 5), layout="constrained")
ExplanationDisplay.from_estimator(detector, row, ax=axis)

# %%
# Digits
# ------
#
# 1797 pictures of 8 x 8 pixels. Every digit in turn is the normal one, and pictures of
# the other nine are the outliers.

# Corner pixels are blank in all pictures of a digit.
warnings.filterwarnings("ignore", "The covariance matrix")

digits = load_digits()
areas = []
for digit in range(10):
    other = digits.target != digit
    fitted, scored = split(other)
    for which, rows in fitted.items():
        for name, detector in make_detectors().items():
            detector.fit(digits.data[rows])
            scores = detector.score_samples(digits.data[scored])
            area = roc_auc_score(other[scored], -scores)
            areas.append({"detector": name, "fitted on rows": which, "area": area})

# %%
# Area under the ROC curve, the mean over the ten digits:

print(
    pd.DataFrame(areas)
    .pivot_table("area", "detector", "fitted on rows", sort=False)
    .round(3)
    .to_string()
)

# %%
# On contaminated rows it is a little ahead of IsolationForest, and of the others. On
# clean ones all but LocalOutlierFactor are alike.

# %%
# Why is this not an eight?
# -------------------------
#
# A detector that has seen nothing but eights is shown the first picture of every other
# digit: above the picture, then what was expected of it, and below, darker for more,
# what each pixel contributes to the surprise.

eights = digits.target == 8
detector = ReconstructionOutlierDetector(random_state=0).fit(digits.data[eights])
firsts = [np.flatnonzero(digits.target == digit)[0] for digit in range(10)]
others = digits.data[[first for first in firsts if not eights[first]]]
rows = others, detector.reconstruct(others), detector.explain(others)

figure, axes = plt.subplots(
    3, 9, num="not_an_eight", figsize=(10, 3.6), layout="compressed"
)
for row, pictures, colours in zip(
    axes, rows, ["gray_r", "gray_r", "Reds"], strict=True
):
    for axis, picture in zip(row, pictures, strict=True):
        axis.imshow(picture.reshape(8, 8), cmap=colours, vmin=0)
        axis.set_axis_off()

# %%
# As a script, ``python plot_find_outliers.py --output demo`` saves the
# pictures in the folder ``demo``.

parser = ArgumentParser(description="Find outliers and say why.")
parser.add_argument("--output", type=Path, help="folder for the pictures")
output = parser.parse_args().output
if output is not None:
    output.mkdir(parents=True, exist_ok=True)
    for name in plt.get_figlabels():
        plt.figure(name).savefig(output / f"{name}.png", dpi=150)
        print(output / f"{name}.png")
