"""A program that has torch and PCA already, and fits for the first time.

Rows come in as JSON; the CPU seconds of ``import skae`` go out, and those of the import
and the fit together.
"""

import json
import sys
import time

import numpy as np
import torch  # noqa: F401
from sklearn.decomposition import PCA

X = np.array(json.load(sys.stdin))
PCA(2).fit(X)
began = time.process_time()

from skae import AutoencoderTransformer  # noqa: E402

imported = time.process_time() - began
AutoencoderTransformer(2, random_state=0).fit(X)
print(json.dumps([imported, time.process_time() - began]))
