"""A start and what is learned beside it, and how that fades far from all rows."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from skae._starts import PrincipalComponents, linear_maps
from skae._tables import Coordinates
from skae.estimators.transformer._filters import filters_of
from skae.estimators.transformer._module import (
    DistanceFade,
    GatedAutoencoder,
    fine_tuned,
    residual,
)
from skae.networks import Autoencoder, DenseNetwork
from skae.networks._members import last_member


@pytest.fixture
def rows() -> torch.Tensor:
    return torch.randn(500, 4, generator=torch.Generator().manual_seed(0)).double()


@pytest.fixture
def module(rows: torch.Tensor) -> GatedAutoencoder:
    """PCA of three members and networks that begin at zero."""
    network = DenseNetwork((8,)).build_autoencoder(
        4, 2, members=3, generator=torch.Generator().manual_seed(0)
    )
    parts = (rows[:300], rows[100:], rows)
    starts = [PrincipalComponents().fit(part.numpy()) for part in parts]
    return residual(Autoencoder(*linear_maps(starts, 2)), network, rows)


def trainable(module: nn.Module) -> list[nn.Parameter]:
    return [p for p in module.parameters() if p.requires_grad]


def randomise(module: GatedAutoencoder) -> None:
    generator = torch.Generator().manual_seed(1)
    for parameter in trainable(module):
        parameter.data.normal_(generator=generator)


def test_is_the_start_before_the_first_step(
    module: GatedAutoencoder, rows: torch.Tensor
) -> None:
    x = rows.expand(3, -1, -1)
    z = module.start.encode(x)
    assert torch.equal(module.encode(x), z)
    assert torch.equal(module.decode(z), module.start.decode(z))
    output = module({"input": x, "target": x})["output"]
    assert torch.equal(output, module.start.decode(z))


def test_forward_returns_the_code(module: GatedAutoencoder, rows: torch.Tensor) -> None:
    randomise(module)
    x = rows.expand(3, -1, -1)
    outputs = module({"input": x})
    assert torch.equal(outputs["code"], module.encode(x))
    assert torch.equal(outputs["output"], module.decode(outputs["code"]))


def test_every_network_parameter_can_leave_zero(
    module: GatedAutoencoder, rows: torch.Tensor
) -> None:
    """One step may only move the last layers; after it, all have a gradient."""
    x = rows[None, :50].expand(3, -1, -1)
    optimizer = torch.optim.SGD(trainable(module), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        (module({"input": x})["output"] - x).square().sum().backward()
        optimizer.step()
    for parameter in trainable(module):
        # Once per member, else one of them would never learn.
        assert parameter.grad.flatten(1).any(dim=1).all()


def test_start_is_frozen(module: GatedAutoencoder) -> None:
    assert not list(trainable(module.start))
    assert list(trainable(module))


def test_far_rows_get_the_start(module: GatedAutoencoder, rows: torch.Tensor) -> None:
    randomise(module)
    far = 100 * rows[:5].expand(3, -1, -1)
    near = rows[:5].expand(3, -1, -1)
    start = module.start
    assert torch.equal(module.encode(far), start.encode(far))
    assert torch.equal(module.decode(far[..., :2]), start.decode(far[..., :2]))
    assert not torch.isclose(module.encode(near), start.encode(near)).any()


def test_encoder_and_decoder_are_faded_by_their_own_distance(
    module: GatedAutoencoder, rows: torch.Tensor
) -> None:
    randomise(module)
    x = rows[:5].expand(3, -1, -1)
    for side, rows_of_side in (
        (module.encoder, x),
        (module.decoder, module.encode(x)),
    ):
        torch.testing.assert_close(
            side(rows_of_side),
            side.start(rows_of_side)
            + side.fade(rows_of_side) * side.network(rows_of_side),
        )


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_weight_scales_what_the_network_adds(
    module: GatedAutoencoder, rows: torch.Tensor, weight: float
) -> None:
    randomise(module)
    x = rows[:5].expand(3, -1, -1)
    z = module.start.encode(x)
    encoded, decoded = module.encode(x) - z, module.decode(z)
    decoded = decoded - module.start.decode(z)
    module.weight = weight
    torch.testing.assert_close(module.encode(x) - z, weight * encoded)
    torch.testing.assert_close(
        module.decode(z) - module.start.decode(z), weight * decoded
    )


def test_last_member_predicts_as_it_did_among_the_others(
    module: GatedAutoencoder, rows: torch.Tensor
) -> None:
    randomise(module)
    x = rows[:5].expand(3, -1, -1)
    codes, restored = module.encode(x), module({"input": x})["output"]
    kept = last_member(module)
    torch.testing.assert_close(kept.encode(x[-1:]), codes[-1:])
    torch.testing.assert_close(kept({"input": x[-1:]})["output"], restored[-1:])
    for tensor in (*kept.parameters(), *kept.buffers()):
        assert len(tensor) == 1
        assert not tensor.requires_grad
        # Memory of its own: the other members are not pickled along.
        assert tensor.untyped_storage().nbytes() == tensor.numel() * 8
    assert not kept.training


class TestFineTuned:
    """A fixed autoencoder beside a free copy of it."""

    @pytest.fixture
    def trained(self, module: GatedAutoencoder) -> GatedAutoencoder:
        randomise(module)
        module.weight = 0.5
        return last_member(module)

    def test_is_the_start_before_the_first_step(
        self, trained: GatedAutoencoder, rows: torch.Tensor
    ) -> None:
        x = rows.expand(3, -1, -1)
        tuned = fine_tuned(trained, 3)
        z = trained.encode(rows[None]).expand(3, -1, -1)
        torch.testing.assert_close(tuned.encode(x), z, atol=1e-12, rtol=0)
        torch.testing.assert_close(
            tuned.decode(z), tuned.start.decode(z), atol=0, rtol=0
        )

    @pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
    def test_weight_goes_from_the_start_to_the_copy(
        self, trained: GatedAutoencoder, rows: torch.Tensor, weight: float
    ) -> None:
        module = fine_tuned(trained, 3)
        randomise(module)
        module.weight = weight
        sides = (
            (module.encoder, rows.expand(3, -1, -1)),
            (module.decoder, rows[:, :2].expand(3, -1, -1)),
        )
        for side, x in sides:
            start, tuned = side.start(x), side.tuned(x)
            assert not torch.isclose(start, tuned).all()
            torch.testing.assert_close(side(x), (1 - weight) * start + weight * tuned)

    def test_all_weights_of_the_copy_are_free_and_none_of_the_start(
        self, trained: GatedAutoencoder
    ) -> None:
        module = fine_tuned(trained, 3)
        assert not trainable(module.start)
        free = trainable(Autoencoder(module.encoder.tuned, module.decoder.tuned))
        assert len(free) == len(list(trained.parameters()))
        assert all(len(parameter) == 3 for parameter in free)

    def test_what_it_starts_from_is_never_changed(
        self, trained: GatedAutoencoder
    ) -> None:
        before = copy.deepcopy(trained.state_dict())
        module = fine_tuned(trained, 3)
        randomise(module)
        for tensor in module.start.parameters():
            tensor.zero_()
        for name, tensor in trained.state_dict().items():
            assert torch.equal(tensor, before[name])

    def test_tied_weights_stay_tied(self) -> None:
        network = DenseNetwork((8,), tied_weights=True)
        start = network.build_autoencoder(
            4, 2, members=1, generator=torch.Generator().manual_seed(0)
        )
        n_parameters = len(list(start.parameters()))
        module = fine_tuned(start, 3)
        assert len(trainable(module)) == n_parameters
        assert len(trainable(copy.deepcopy(module).float())) == n_parameters


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("of_a_fit", [False, True])
def test_what_is_kept_predicts_as_the_whole(
    module: GatedAutoencoder, rows: torch.Tensor, weight: float, of_a_fit: bool
) -> None:
    """And holds no part that has no weight."""
    if of_a_fit:
        module = fine_tuned(last_member(module), 3)
    randomise(module)
    module.weight = weight
    x = rows[:20].expand(3, -1, -1)
    whole, kept = module({"input": x}), module.kept()
    for name, output in kept({"input": x}).items():
        assert torch.equal(output, whole[name])
    parts = {id(parameter) for parameter in kept.parameters()}
    start = {id(parameter) for parameter in module.start.parameters()}
    learned = {id(parameter) for parameter in trainable(module)}
    assert bool(parts & learned) == (weight > 0)
    assert parts & start == (set() if of_a_fit and weight == 1 else start)


class TestDistanceFade:
    def test_values(self, rows: torch.Tensor) -> None:
        fade = DistanceFade.around(rows)
        sd = rows.std(dim=0, unbiased=False)
        distance = (rows / sd).norm(dim=1).sort().values
        # Of 500 rows, 99.9 % are nearer than the last and 99 % than the 496th.
        radius = min(distance[-1], 2 * distance[494])
        direction = torch.tensor([sd[0], 0, 0, 0])
        points = torch.stack([s * radius * direction for s in (0, 0.99, 1.5, 2, 9)])
        torch.testing.assert_close(
            fade(points[None])[0, :, 0],
            torch.tensor([1, 1, 0.5, 0, 0]).double(),
            atol=1e-10,
            rtol=0,
        )

    def test_nearly_all_training_rows_keep_the_whole_residual(
        self, rows: torch.Tensor
    ) -> None:
        assert (DistanceFade.around(rows)(rows[None]) == 1).double().mean() >= 0.99

    def test_one_wild_row_does_not_widen_the_radius(self, rows: torch.Tensor) -> None:
        """The outermost row of a thousand has no say in what is near."""
        rows = torch.cat([rows, rows])
        rows[0] = 50.0
        fade = DistanceFade.around(rows)
        assert fade(rows[None, :1]) == 0

    def test_unit_of_the_rows_is_irrelevant(self, rows: torch.Tensor) -> None:
        points = 3 * rows[None]
        torch.testing.assert_close(
            DistanceFade.around(2.0**40 * rows)(2.0**40 * points),
            DistanceFade.around(rows)(points),
        )

    @pytest.mark.parametrize("n", [1, 2, 5])
    def test_degenerate_rows_are_near(self, n: int) -> None:
        """Without any variance the centre is still inside and infinity outside."""
        fade = DistanceFade.around(torch.zeros(n, 3))
        assert fade(torch.zeros(1, 1, 3)) == 1
        assert fade(torch.full((1, 1, 3), 1e6)) == 0

    def test_leaving_a_constant_direction_counts_as_distance(
        self, rows: torch.Tensor
    ) -> None:
        rows = rows.clone()
        rows[:, 0] = 0
        away = torch.zeros(1, 1, 4).double()
        away[..., 0] = 1.0
        assert DistanceFade.around(rows)(away) == 0


def test_filters_are_those_of_what_was_learned(module: GatedAutoencoder) -> None:
    """Not those of the fit that was the start, also of a fit from such a fit."""
    randomise(module)
    coordinates = Coordinates(np.zeros(4), 1.0)
    first = last_member(copy.deepcopy(module))
    tuned = last_member(fine_tuned(first, 1))
    tuned.weight = 0.5
    filters = filters_of(tuned.encoder, coordinates)
    np.testing.assert_array_equal(filters, filters_of(first.encoder, coordinates))
    with torch.no_grad():
        for parameter in tuned.encoder.tuned.parameters():
            parameter.add_(1.0)
    assert not np.allclose(filters_of(tuned.encoder, coordinates), filters)
    np.testing.assert_array_equal(filters_of(first.encoder, coordinates), filters)
