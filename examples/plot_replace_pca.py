"""
==============================
Replacing PCA in a grid search
==============================

A pipeline scales the columns, reduces them to a few components and classifies the rows.
A grid search tries two reducers in it, ``PCA`` and
:class:`~skae.AutoencoderTransformer`, with the same numbers of components.
Nothing else differs between the two.

Three things are compared: the share of the variance of the scaled columns that comes
back from the components and the accuracy of the best classifier, both on rows that the
pipeline was not fitted on, and the seconds that fitting the whole pipeline takes.
"""

from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skae import AutoencoderTransformer

REDUCERS = PCA, AutoencoderTransformer


# %%
# The search
# ----------
#
# The reducer is a step of the pipeline, so it is a parameter of the grid like any
# other. A scorer of our own asks it for the share of variance it brings back.
#
# With ``memory=`` the pipeline keeps fitted steps in a folder: the three classifiers
# that are tried on the same components share one fit of the reducer. The first of them
# takes the seconds, and these are the ones in the tables.


def explained_variance(model: Pipeline, X: np.ndarray, y: np.ndarray) -> float:
    """Share of the variance of the scaled columns that the components bring back."""
    scaler, reducer = model[:-2], model[-2]
    scaled = scaler.transform(X)
    restored = reducer.inverse_transform(reducer.transform(scaled))
    return r2_score(scaled, restored, multioutput="variance_weighted")


def search(X: np.ndarray, y: np.ndarray, scaler: MinMaxScaler | StandardScaler):
    """Try every reducer with every number of components."""
    grid = {
        "reduce": [reducer(random_state=0) for reducer in REDUCERS],
        "reduce__n_components": [2, 4, 8],
        "classify__C": [0.1, 1, 10],
    }
    scoring = {"explained_variance": explained_variance, "accuracy": "accuracy"}
    with TemporaryDirectory() as folder:
        pipeline = Pipeline(
            [
                ("scale", scaler),
                ("reduce", PCA()),
                ("classify", LogisticRegression(max_iter=2000)),
            ],
            memory=folder,
        )
        return GridSearchCV(
            pipeline, grid, scoring=scoring, refit=False, cv=3, verbose=2
        ).fit(X, y)


def table(fitted: GridSearchCV) -> pd.DataFrame:
    """The results, the two reducers side by side."""
    columns = {
        "param_reduce": "reducer",
        "param_reduce__n_components": "n_components",
        "mean_test_explained_variance": "explained variance",
        "mean_test_accuracy": "accuracy",
        "mean_fit_time": "fit seconds",
    }
    results = pd.DataFrame(fitted.cv_results_)[list(columns)].rename(columns=columns)
    results["reducer"] = [type(reducer).__name__ for reducer in results["reducer"]]
    of_classifiers = results.groupby(["n_components", "reducer"])
    return of_classifiers.max().unstack("reducer").round(3)


# %%
# Digits
# ------
#
# 1797 pictures of 8 x 8 pixels. Pixels share one unit: they are only brought to [0, 1].

digits = load_digits()
digits_search = search(digits.data, digits.target, MinMaxScaler())

# %%

print(table(digits_search).to_string())

# %%
# Breast cancer
# -------------
#
# 569 rows of 30 measurements. Each has a unit of its own, so each is standardised.

cancer = load_breast_cancer()
cancer_search = search(cancer.data, cancer.target, StandardScaler())

# %%

print(table(cancer_search).to_string())

# %%
# What eight components keep of a digit
# -------------------------------------
#
# The pictures shown were held out when the reducers were fitted.

train, test = train_test_split(digits.data, test_size=0.3, random_state=0)
rows = {"original": test[:12]}
for reducer in REDUCERS:
    model = make_pipeline(MinMaxScaler(), reducer(n_components=8, random_state=0))
    model.fit(train)
    rows[reducer.__name__] = model.inverse_transform(model.transform(test[:12]))

figure, axes = plt.subplots(
    3, 12, num="reconstructions", figsize=(10, 3.2), layout="compressed"
)
for row, (name, pictures) in zip(axes, rows.items(), strict=True):
    row[0].set_title(name, loc="left", fontsize=10)
    for axis, picture in zip(row, pictures, strict=True):
        axis.imshow(picture.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        axis.set_axis_off()

# %%
# Two components, by class
# ------------------------
#
# Again, the rows shown were held out.

figure, axes = plt.subplots(
    2, 2, num="latent_spaces", figsize=(10, 8), layout="constrained"
)
for row, data, scaler in (
    (axes[0], digits, MinMaxScaler()),
    (axes[1], cancer, StandardScaler()),
):
    train, test, _, classes = train_test_split(
        data.data, data.target, test_size=0.3, random_state=0
    )
    for axis, reducer in zip(row, REDUCERS, strict=True):
        model = make_pipeline(scaler, reducer(n_components=2, random_state=0))
        latent = model.fit(train).transform(test)
        points = axis.scatter(*latent.T, c=classes, cmap="tab10", s=6)
        axis.set_title(reducer.__name__)
    handles, _ = points.legend_elements()
    axis.legend(handles, data.target_names, loc="center left", bbox_to_anchor=(1, 0.5))

# %%
# How many components does it save?
# ---------------------------------
#
# Eight of the autoencoder lose as much as about sixteen of PCA. Again on held-out
# digits.

train, test = train_test_split(digits.data / 16, test_size=0.3, random_state=0)


def unexplained(reducer: PCA | AutoencoderTransformer) -> float:
    """Share of the variance of held-out digits that does not come back."""
    restored = reducer.fit(train).inverse_transform(reducer.transform(test))
    return 1 - r2_score(test, restored, multioutput="variance_weighted")


_, axis = plt.subplots(num="components", figsize=(8, 4), layout="constrained")
for reducer, numbers in zip(REDUCERS, (range(1, 25), [2, 4, 8]), strict=True):
    errors = [unexplained(reducer(n_components=k, random_state=0)) for k in numbers]
    axis.plot(numbers, errors, ".-", label=reducer.__name__)
axis.set(xlabel="components", ylabel="share of the variance that is lost", ylim=(0, 1))
axis.legend()

# %%
# As a script, ``python plot_replace_pca.py --output demo`` saves the
# pictures in the folder ``demo``.

parser = ArgumentParser(description="Replace PCA by an autoencoder in a grid search.")
parser.add_argument("--output", type=Path, help="folder for the pictures")
output = parser.parse_args().output
if output is not None:
    output.mkdir(parents=True, exist_ok=True)
    for name in plt.get_figlabels():
        plt.figure(name).savefig(output / f"{name}.png", dpi=150)
        print(output / f"{name}.png")
