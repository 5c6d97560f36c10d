"""
===============================
From one table to a smaller one
===============================

A thousand digits from one scanner are at hand, and a few from another one with another
contrast. ``start=FrozenEstimator(fitted)`` takes the network that was fitted to the
first ones and trains a copy of it on the others. Held-out rows decide how far to go
from the old weights to the new.

It is compared with the old fit as it is, and with a fit to the few digits alone.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import r2_score

from skae import AutoencoderTransformer

digits = load_digits()
order = np.random.default_rng(0).permutation(len(digits.data))
X, y = digits.data[order] / 16, digits.target[order]


def compare(fitted: AutoencoderTransformer, few: np.ndarray, test: np.ndarray) -> dict:
    """Share of the variance of test rows that comes back."""
    parameters = {"n_components": 8, "random_state": 0}
    tuned = AutoencoderTransformer(start=FrozenEstimator(fitted), **parameters)
    reducers = {
        "PCA of the few": PCA(**parameters).fit(few),
        "fitted to the few": AutoencoderTransformer(**parameters).fit(few),
        "the old fit": fitted,
        "fine-tuned": tuned.fit(few),
    }
    restored = {
        name: reducer.inverse_transform(reducer.transform(test))
        for name, reducer in reducers.items()
    }
    return {
        name: r2_score(test, rows, multioutput="variance_weighted")
        for name, rows in restored.items()
    }


# %%
# Another scanner
# ---------------
#
# Its pixels are the square roots of what they would be in the first one.

fitted = AutoencoderTransformer(n_components=8, random_state=0).fit(X[:1000])
other = np.sqrt(X[1000:])
few, test = other[:240], other[240:]
numbers = [30, 60, 120, 240]
scores = pd.DataFrame(
    [compare(fitted, few[:number], test) for number in numbers],
    index=pd.Index(numbers, name="digits"),
)
print(scores.round(3).to_string())

# %%

_, axis = plt.subplots(figsize=(7, 4), layout="constrained")
for name in scores:
    width = 2.5 if name == "fine-tuned" else 1.2
    axis.plot(scores[name], "o-", label=name, lw=width)
axis.set(
    xscale="log", xlabel="digits from the other scanner", ylabel="share of the variance"
)
axis.set_xticks(numbers, numbers)
axis.minorticks_off()
axis.legend()

# %%
# Other digits
# ------------
#
# What was learnt has to be of use. A fit to the digits from 0 to 4 has hardly seen the
# strokes of those from 5 to 9. Fine-tuning helps it, but a fit to a few of these alone
# is better.

low = AutoencoderTransformer(n_components=8, random_state=0).fit(X[y < 5])
few, test = X[y >= 5][:240], X[y >= 5][240:]
numbers = [30, 240]
scores = pd.DataFrame(
    [compare(low, few[:number], test) for number in numbers],
    index=pd.Index(numbers, name="digits"),
)
print(scores.round(3).to_string())
