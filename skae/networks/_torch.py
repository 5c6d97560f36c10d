"""Modules of a user's own as a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import torch
from torch import nn

from skae.networks._autoencoder import Autoencoder
from skae.networks._layers import Gain, NetworkModule
from skae.networks._members import MemberList
from skae.networks._network import Network
from skae.networks._randomness import float32_by_default, global_draws_from

_PARTS = ("encoder", "decoder")


class TorchNetwork(Network):
    """Your own torch modules, for rows of any kind.

    Modules are built in ``fit``, one for each network that is trained at once, and know
    nothing of each other. They see features that the estimator has centred and scaled,
    in batches of shape ``(batch, n_features)``, in float32 while they are trained and
    in float64 afterwards. What a module draws, weights or dropout, follows from
    ``random_state``, and torch's global random numbers stay as they were; of fits in
    several threads, one therefore waits for the other.

    Parameters
    ----------
    encoder : type of torch.nn.Module, or callable
        ``encoder(n_features, n_outputs, **parameters)`` returns a module from
        ``(batch, n_features)`` to ``(batch, n_outputs)``: from rows to their codes. In
        an estimator without a code, it maps what is known of a row to all of it.
    decoder : type of torch.nn.Module, callable or None, default=None
        ``decoder(n_components, n_features, **parameters)`` returns the module back.
        Estimators with a code need it.
    **parameters : object
        What `encoder` and `decoder` are called with besides, by skorch's convention:
        ``encoder__width=64`` is passed as ``width=64``. A grid reaches them as
        ``network__encoder__width``.

    See Also
    --------
    DenseNetwork : Fully connected, several at once in one product.
    Network : Base of specifications whose modules know members.

    Notes
    -----
    Beside a start, the output of both modules is multiplied by factors that begin at
    zero and are learned, so that the fit begins at the start whatever the modules are.

    Several modules at once take as long as one after the other: up to three
    with ``cv="auto"`` on fewer than 2,000 rows, and one for all rows.

    References
    ----------
    .. [1] M. Tietz, T. J. Fan, D. Nouri and B. Bossan, "skorch: A scikit-learn
       compatible neural network library that wraps PyTorch", 2017.

    Examples
    --------
    >>> from torch import nn
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.preprocessing import scale
    >>> from skae import AutoencoderTransformer
    >>> from skae.networks import TorchNetwork
    >>> class Coder(nn.Sequential):
    ...     def __init__(self, n_in, n_out, width=32):
    ...         super().__init__(
    ...             nn.Linear(n_in, width), nn.Tanh(), nn.Linear(width, n_out)
    ...         )
    >>> network = TorchNetwork(Coder, Coder, encoder__width=16)
    >>> reducer = AutoencoderTransformer(
    ...     2, network=network, max_iter=3, random_state=0
    ... )
    >>> X = scale(load_wine().data)
    >>> reducer.fit_transform(X).shape
    (178, 2)
    >>> search = GridSearchCV(reducer, {"network__encoder__width": [8, 16]}, cv=2)
    >>> search.fit(X).best_params_["network__encoder__width"] in (8, 16)
    True
    """

    def __init__(
        self,
        encoder: Callable[..., nn.Module],
        decoder: Callable[..., nn.Module] | None = None,
        **parameters: Any,
    ) -> None:
        _check_names(parameters)
        self.encoder = encoder
        self.decoder = decoder
        self.__dict__.update(parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, those of the modules by their prefixed names.

        Parameters
        ----------
        deep : bool, default=True
            Ignored, present for the convention.

        Returns
        -------
        params : dict of str to object
            Names and values.
        """
        return {k: v for k, v in vars(self).items() if k.startswith(_PARTS)}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of the modules by their prefixed names.

        Parameters
        ----------
        **params : object
            Names and values.

        Returns
        -------
        self : TorchNetwork
            The specification itself.
        """
        _check_names(params)
        self.__dict__.update(params)
        return self

    def build_autoencoder(
        self,
        n_features: int,
        n_components: int,
        *,
        members: int,
        generator: torch.Generator,
    ) -> Autoencoder:
        if self.decoder is None:
            raise ValueError(
                "network=TorchNetwork(encoder) has no decoder, which an estimator with "
                "a code needs; pass TorchNetwork(encoder, decoder)."
            )
        return Autoencoder(
            self._build("encoder", n_features, n_components, members, generator),
            self._build("decoder", n_components, n_features, members, generator),
        )

    def build_encoder(
        self,
        n_features: int,
        n_outputs: int,
        *,
        members: int,
        generator: torch.Generator,
    ) -> OwnModules:
        return self._build("encoder", n_features, n_outputs, members, generator)

    def build_map(
        self,
        input_shape: tuple[int, ...],
        output_shape: tuple[int, ...],
        *,
        members: int,
        generator: torch.Generator,
    ) -> OwnModules:
        (n_in,), (n_out,) = input_shape, output_shape
        return self._build("encoder", n_in, n_out, members, generator)

    def _build(
        self, part: str, n_in: int, n_out: int, members: int, generator: torch.Generator
    ) -> OwnModules:
        prefix = f"{part}__"
        parameters = {
            name.removeprefix(prefix): value
            for name, value in vars(self).items()
            if name.startswith(prefix)
        }
        make: Callable[..., nn.Module] = getattr(self, part)
        built = []
        for _ in range(members):
            with global_draws_from(generator):
                module = make(n_in, n_out, **parameters).double()
                _check_shape(module, part, n_in, n_out)
            built.append(module)
        return OwnModules(built, n_out)


class OwnModules(NetworkModule):
    """Modules that know nothing of members, and factors of what they return.

    Parameters
    ----------
    modules : list of nn.Module
        One for each member.
    n_outputs : int
    """

    def __init__(self, modules: list[nn.Module], n_outputs: int) -> None:
        super().__init__()
        self.members = MemberList(modules)
        self.gain: nn.Module = nn.Identity()
        self.n_outputs = n_outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with float32_by_default:
            own = self.members(x)
        output: torch.Tensor = self.gain(own)
        return output

    def zero_output_(self) -> None:
        """Make all modules return zero. Their last layers may be anything."""
        shape = len(self.members), 1, self.n_outputs
        self.gain = Gain(torch.zeros(shape, dtype=torch.float64))


def _check_names(parameters: Mapping[str, Any]) -> None:
    for name in parameters:
        part, double, own = name.partition("__")
        if part not in _PARTS or bool(double) != bool(own):
            raise ValueError(
                f"Invalid parameter {name!r} for TorchNetwork; pass encoder, decoder, "
                "and parameters of them as encoder__name or decoder__name."
            )


def _check_shape(module: nn.Module, part: str, n_in: int, n_out: int) -> None:
    """Raise a ValueError if a module does not return what is needed."""
    row = torch.zeros(1, n_in, dtype=torch.float64)
    with torch.no_grad():
        shape = tuple(module.eval()(row).shape)
    if shape != (1, n_out):
        raise ValueError(
            f"{part} makes a batch of shape {shape} of one of shape (1, {n_in}), but "
            f"(1, {n_out}) is needed; make it return as many values as its second "
            "argument says."
        )
