"""
==========================
Limbs hidden from a camera
==========================

A camera follows a person who walks, as thirteen points in the plane. Whole limbs are
hidden now and then, by furniture or by the person, so gaps come in blocks: both
coordinates of elbow and wrist, or of knee and ankle, are missing at once.

:class:`~skae.DenoisingImputer` learns from such frames alone how the limbs move with
each other. It is compared with filling each coordinate by its mean.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.impute import SimpleImputer

from skae import DenoisingImputer

BONES = [
    *((0, 1), (1, 2), (1, 3), (3, 4), (4, 5), (2, 6), (6, 7)),
    *((1, 8), (8, 9), (9, 10), (8, 11), (11, 12)),
]
#: Points of the left arm, the right arm, the left leg and the right leg.
LIMBS = [[4, 5], [6, 7], [9, 10], [11, 12]]

# %%
# A person who walks
# ------------------
#
# Arms and legs swing like pendulums, at a pace and with a swing that differ between
# walks. Knees and elbows bend in one direction only. The points are head, neck, right
# and left shoulder, the joints of the left and right arm, the hip and the joints of the
# left and right leg.


def joint(origin: np.ndarray, length: float, angle: np.ndarray) -> np.ndarray:
    """End of a bone that hangs down from its origin at an angle."""
    return origin + length * np.stack([np.sin(angle), -np.cos(angle)], axis=-1)


def walk(n_frames: int, rng: np.random.Generator) -> np.ndarray:
    """Frames of a walk, seen from the side, of shape (n_frames, 13, 2)."""
    phase = rng.uniform(0, 2 * np.pi) + np.arange(n_frames) * rng.uniform(0.15, 0.3)
    swing, lean = rng.uniform(0.3, 0.7), rng.uniform(-0.05, 0.15)
    hip = np.stack([0.02 * np.sin(2 * phase), 1 + 0.03 * np.cos(2 * phase)], axis=-1)
    neck = joint(hip, -0.6, np.full(n_frames, -lean))
    head = joint(neck, -0.2, np.full(n_frames, -lean))
    left_shoulder = neck + np.array([0.03, -0.03])
    right_shoulder = neck - np.array([0.03, 0.03])
    points = [head, neck, right_shoulder, left_shoulder]
    for shoulder, side in ((left_shoulder, 0), (right_shoulder, np.pi)):
        arm = swing * np.sin(phase + side)
        elbow = joint(shoulder, 0.3, arm)
        points += [elbow, joint(elbow, 0.28, arm + 0.3 + swing * np.maximum(arm, 0))]
    points.append(hip)
    for side in (np.pi, 0):
        leg = swing * np.sin(phase + side)
        knee = joint(hip, 0.48, leg)
        bend = 1.2 * swing * np.maximum(np.cos(phase + side), 0) ** 2
        points += [knee, joint(knee, 0.48, leg - bend)]
    frames = np.stack(points, axis=1)
    return frames + rng.normal(scale=0.005, size=frames.shape)


def hide_limbs(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hide each limb in 30 % of the frames."""
    frames = frames.copy()
    for limb in LIMBS:
        hidden = rng.random(len(frames)) < 0.3
        frames[np.ix_(hidden, limb)] = np.nan
    return frames


rng = np.random.default_rng(0)
train = np.concatenate([walk(60, rng) for _ in range(40)])
test = np.concatenate([walk(60, rng) for _ in range(5)])
seen_train, seen_test = hide_limbs(train, rng), hide_limbs(test, rng)

# %%
# Filling the frames
# ------------------
#
# A frame is a row of 26 coordinates.

filled = {}
for name, imputer in {
    "column means": SimpleImputer(),
    "DenoisingImputer": DenoisingImputer(random_state=0),
}.items():
    imputer.fit(seen_train.reshape(len(train), -1))
    filled[name] = imputer.transform(seen_test.reshape(len(test), -1))
    distance = np.linalg.norm(filled[name].reshape(test.shape) - test, axis=-1)
    hidden = np.isnan(seen_test[..., 0])
    print(f"{name:18} mean distance of hidden points {distance[hidden].mean():.3f}")

# %%
# Frames in which two limbs or more are hidden; the true pose is grey, what was filled
# is red. The length of a person is 1.8.

hidden_limbs = sum(np.isnan(seen_test[:, limb[0], 0]).astype(int) for limb in LIMBS)
chosen = np.flatnonzero(hidden_limbs >= 2)[::14][:7]
figure, axes = plt.subplots(
    2, len(chosen), figsize=(10, 5), sharex=True, sharey=True, layout="compressed"
)
for row, (name, values) in zip(axes, filled.items(), strict=True):
    row[0].set_title(name, loc="left", fontsize=10)
    for axis, frame in zip(row, chosen, strict=True):
        pose = values[frame].reshape(13, 2)
        gaps = np.isnan(seen_test[frame, :, 0])
        for bone in map(list, BONES):
            axis.plot(*test[frame, bone].T, color="lightgrey", lw=5)
        for bone in map(list, BONES):
            color = "tab:red" if gaps[bone].any() else "black"
            axis.plot(*pose[bone].T, color=color, lw=1.5)
        axis.set_aspect("equal")
        axis.set_axis_off()
