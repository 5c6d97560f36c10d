"""
============================
Filling gaps before a model
============================

A share of the values of a real table is hidden. Five imputers fill the gaps: column
means, the nearest rows, scikit-learn's ``IterativeImputer``, once with its default and
once with trees, and :class:`~skae.DenoisingImputer`. All are fitted to rows with gaps
and fill the gaps of rows that they have not seen.

Two things are compared: how far the fills are from the hidden values, and how well a
classifier does on the filled rows.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skae import DenoisingImputer

# Ten rounds are the default, and the iterative imputer says that more might be better.
warnings.filterwarnings("ignore", category=ConvergenceWarning)

IMPUTERS = {
    "column means": SimpleImputer(),
    "nearest rows": KNNImputer(),
    "iterative": IterativeImputer(random_state=0),
    "iterative, trees": IterativeImputer(
        ExtraTreesRegressor(20, random_state=0), max_iter=4, random_state=0
    ),
    "DenoisingImputer": DenoisingImputer(random_state=0),
}
SHARES = 0.1, 0.3, 0.5, 0.7

# %%
# The table
# ---------
#
# Breast cancer: 569 rows of 30 measurements. The first ten are means over the cells of
# an image and are all that is used here. They are related, partly in nonlinear ways: an
# area grows with the square of a radius.

X, y = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X[:, :10])
train, test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)


def with_gaps(rows: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Hide a share of the values at random."""
    hidden = np.random.default_rng(seed).random(rows.shape) < share
    return np.where(hidden, np.nan, rows)


# %%
# Errors and accuracies
# ---------------------
#
# The imputer is the first step of a pipeline; nothing else differs.

results = []
for share in SHARES:
    known, asked = with_gaps(train, share, 0), with_gaps(test, share, 1)
    gaps = np.isnan(asked)
    for name, imputer in IMPUTERS.items():
        model = make_pipeline(imputer, SVC()).fit(known, y_train)
        error = (model[0].transform(asked) - test)[gaps]
        results.append(
            {
                "imputer": name,
                "share of gaps": share,
                "RMSE": np.sqrt(np.mean(error**2)),
                "accuracy": model.score(asked, y_test),
            }
        )
results = pd.DataFrame(results)
errors = results.pivot(index="share of gaps", columns="imputer", values="RMSE")
print(errors[list(IMPUTERS)].round(3).to_string())

# %%

accuracies = results.pivot(index="share of gaps", columns="imputer", values="accuracy")
print(accuracies[list(IMPUTERS)].round(3).to_string())

# %%

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for axis, values, label in (
    (axes[0], errors, "RMSE, standard deviations"),
    (axes[1], accuracies, "accuracy of the classifier"),
):
    for name in IMPUTERS:
        ours = name == "DenoisingImputer"
        axis.plot(values.index, values[name], "o-", label=name, lw=2.5 if ours else 1.2)
    axis.set(xlabel="share of gaps", ylabel=label, xticks=SHARES)
axes[1].legend(loc="lower left")

# %%
# How sure is a fill?
# -------------------
#
# ``imputation_std`` gives the standard deviation of each fill, and ``sample`` draws
# tables that may have been the complete one. Here the area of test rows is hidden, once
# with the radius in sight and once with the smoothness of the cells alone.

imputer = DenoisingImputer(random_state=0).fit(with_gaps(train, 0.3, 0))
area, figure = 3, plt.figure(figsize=(10, 3.5), layout="constrained")
for position, (title, seen) in enumerate({"radius": 0, "smoothness": 4}.items(), 1):
    asked = np.full_like(test, np.nan)
    asked[:, seen] = test[:, seen]
    filled, std = imputer.transform(asked), imputer.imputation_std(asked)
    axis = figure.add_subplot(1, 2, position)
    axis.errorbar(
        test[:, area], filled[:, area], 1.64 * std[:, area], fmt="o", ms=3, lw=0.5
    )
    axis.axline((0, 0), slope=1, color="black", lw=0.8)
    axis.set(xlabel="true area", ylabel="filled area", title=f"{title} observed")
