"""Images that are no rows yet are refused with the exact call that makes them rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skae import AutoencoderTransformer, DenoisingTransformer
from skae.networks import ConvolutionalNetwork
from tests.laws._estimators import ESTIMATORS, QUICK, rows

IMAGES = rows().reshape(-1, 4, 7)
#: Form of images: the array, what to pass and the shape of an image.
FORMS = {
    "grey": (IMAGES, "X.reshape(len(X), -1)", "(4, 7)"),
    "one channel": (IMAGES[..., None], "X.reshape(len(X), -1)", "(4, 7)"),
    "colour": (np.stack([IMAGES] * 3, -1), "X.reshape(len(X), -1)", "(4, 7, 3)"),
    "channels first": (
        np.stack([IMAGES] * 3, 1),
        "np.moveaxis(X, 1, -1).reshape(len(X), -1)",
        "(4, 7, 3)",
    ),
    "one channel first": (
        IMAGES[:, None],
        "np.moveaxis(X, 1, -1).reshape(len(X), -1)",
        "(4, 7)",
    ),
    "tensor": (torch.from_numpy(IMAGES), "X.reshape(len(X), -1)", "(4, 7)"),
    "list": (list(IMAGES), "np.asarray(X).reshape(len(X), -1)", "(4, 7)"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_fit(kind: type, form: str) -> None:
    X, remedy, shape = FORMS[form]
    with pytest.raises(
        ValueError, match="a sample, such as an image, must be one row"
    ) as error:
        kind(**QUICK).fit(X)
    message = str(error.value)
    assert f"; pass {remedy}" in message
    if kind in (AutoencoderTransformer, DenoisingTransformer):
        assert f"network=ConvolutionalNetwork(image_shape={shape})" in message
    else:  # whose networks see no images
        assert "network" not in message


@pytest.mark.parametrize("form", FORMS)
def test_the_remedy_works(form: str) -> None:
    X, remedy, shape = FORMS[form]
    X = np.asarray(X)
    network = ConvolutionalNetwork(eval(shape), channels=(2,), hidden_size=4)
    table = eval(remedy)
    fitted = AutoencoderTransformer(network=network, max_iter=1).fit(table)
    assert fitted.transform(table).shape == (60, 2)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_prediction(kind: type) -> None:
    fitted = kind(**QUICK).fit(rows())
    names = ("transform", "inverse_transform", "score", "predict", "explain", "sample")
    for name in names:
        if hasattr(fitted, name):
            with pytest.raises(
                ValueError, match=r"; pass X\.reshape\(len\(X\), -1\)\."
            ):
                getattr(fitted, name)(IMAGES)


def test_clean_images() -> None:
    for clean in ({"X_clean": IMAGES}, {"y": IMAGES}):
        message = r"pass X_clean\.reshape.* with network=Conv.*image_shape=\(4, 7\)"
        with pytest.raises(ValueError, match=message):
            DenoisingTransformer(**QUICK).fit(rows(), **clean)


def halved(X: np.ndarray, factor: int = 2) -> np.ndarray:
    """Images of 16 x 24 pixels and perhaps channels, smaller by a factor."""
    small = X.reshape(len(X), 16 // factor, factor, 24 // factor, factor, -1)
    return small.mean(axis=(2, 4)).reshape(len(X), -1)


class TestShapeOfTheWrongSide:
    """What is enlarged has the shape of the clean images."""

    X = np.random.RandomState(0).uniform(size=(30, 16 * 24))
    COLOUR = np.random.RandomState(0).uniform(size=(30, 16 * 24 * 3))

    @pytest.mark.parametrize("factor", [2, 4])
    @pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "colour"])
    def test_is_set_right(self, factor: int, channels: tuple[int, ...]) -> None:
        clean = self.COLOUR if channels else self.X
        small = 16 // factor, 24 // factor, *channels
        right = 16, 24, *channels
        with pytest.raises(ValueError, match="is that of the images in X") as error:
            self.fit(small, halved(clean, factor), clean)
        assert f"; set image_shape={right}." in str(error.value)
        self.fit(right, halved(clean, factor), clean)

    def test_by_no_whole_factor(self) -> None:
        with pytest.raises(
            ValueError, match=r"in X, but .* set image_shape=\(height, width\)"
        ):
            self.fit((8, 12), halved(self.X), self.X[:, :-24])

    def test_of_neither(self) -> None:
        with pytest.raises(ValueError, match=r"means 25 features, but X_clean has 384"):
            self.fit((5, 5), halved(self.X), self.X)

    def test_without_pairs(self) -> None:
        message = r"set it to \(16, 24\) or, for 4 channels, to \(8, 12, 4\)"
        with pytest.raises(ValueError, match=message):
            DenoisingTransformer(network=ConvolutionalNetwork((8, 12))).fit(self.X)

    @staticmethod
    def fit(shape: tuple[int, ...], X: np.ndarray, clean: np.ndarray) -> None:
        network = ConvolutionalNetwork(shape, channels=(2,))
        DenoisingTransformer(network=network, start="local", max_iter=1).fit(X, clean)
