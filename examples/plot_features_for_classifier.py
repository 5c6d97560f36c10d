"""
=========================
Features for a classifier
=========================

Few of many digits have labels. The components are learnt from all of them, the
classifier from those with labels alone. Then a grid search chooses the parts of an
autoencoder by the accuracy of the classifier behind it.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skae import AutoencoderTransformer
from skae.networks import DenseNetwork
from skae.noise import MaskingNoise

X, y = load_digits(return_X_y=True)
train, test, y_train, y_test = train_test_split(X / 16, y, random_state=0)

# %%
# Few labels
# ----------
#
# The pixels themselves, eight components of PCA and eight of the autoencoder. Both were
# fitted to all training rows. The accuracy is a mean over ten draws of the rows whose
# labels are known.

FEATURES = {
    "pixels": FunctionTransformer(),
    "PCA": PCA(8),
    "AutoencoderTransformer": AutoencoderTransformer(8, random_state=0),
}
CLASSIFIERS = {
    "nearest neighbour": KNeighborsClassifier(n_neighbors=1),
    "logistic regression": make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=2000)
    ),
}
N_LABELS = 30, 60, 120, 240, 480

rng = np.random.default_rng(0)
draws = [rng.permutation(len(train)) for _ in range(10)]
results = []
for features, reducer in FEATURES.items():
    seen, asked = reducer.fit_transform(train), reducer.transform(test)
    for name, classifier in CLASSIFIERS.items():
        for n_labels in N_LABELS:
            accuracies = [
                classifier.fit(seen[rows], y_train[rows]).score(asked, y_test)
                for rows in (draw[:n_labels] for draw in draws)
            ]
            results.append((name, features, n_labels, np.mean(accuracies)))
results = pd.DataFrame(
    results, columns=["classifier", "features", "labels", "accuracy"]
)
results = results.pivot(
    index="labels", columns=["classifier", "features"], values="accuracy"
)

_, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
for axis, name in zip(axes, CLASSIFIERS, strict=True):
    print(name, results[name].round(3).to_string(), sep="\n", end="\n\n")
    for features in FEATURES:
        axis.plot(results[name][features], "o-", label=features)
    axis.set(title=name, xscale="log", xlabel="labels")
    axis.set_xticks(N_LABELS, N_LABELS)
    axis.minorticks_off()
axes[0].set_ylabel("accuracy")
axes[1].legend(loc="lower right")

# %%
# Eight components of the autoencoder tell the digits apart better than PCA's, and with
# few labels about as well as all 64 pixels do.

# %%
# Which autoencoder?
# ------------------
#
# Every part is a parameter of the grid. The search holds rows out itself, so with
# ``cv=None`` the autoencoder does not.

pipeline = Pipeline(
    [
        (
            "reduce",
            AutoencoderTransformer(
                network=DenseNetwork(hidden_layer_sizes=(96,)),
                max_iter=10,
                cv=None,
                random_state=0,
            ),
        ),
        ("classify", KNeighborsClassifier()),
    ]
)
grid = [
    {
        "reduce__n_components": [4, 8],
        "reduce__network__tied_weights": [False, True],
        "reduce__noise": [None, MaskingNoise(0.3)],
    },
    {"reduce": [PCA()], "reduce__n_components": [4, 8]},
]
search = GridSearchCV(pipeline, grid, cv=3).fit(train, y_train)

# %%

cells = pd.DataFrame(search.cv_results_)
table = pd.DataFrame(
    {
        "reducer": [
            type(cell.get("reduce", pipeline[0])).__name__ for cell in cells["params"]
        ],
        "tied": cells["param_reduce__network__tied_weights"],
        "noise": [str(cell.get("reduce__noise")) for cell in cells["params"]],
        "n_components": cells["param_reduce__n_components"],
        "accuracy": cells["mean_test_score"],
    }
)
table.loc[table["reducer"] == "PCA", ["tied", "noise"]] = "-"
print(
    table.pivot(
        index=["reducer", "tied", "noise"], columns="n_components", values="accuracy"
    )
    .round(3)
    .to_string()
)
print(
    f"The best on rows that the search has not seen: {search.score(test, y_test):.3f}"
)
