"""The residual: what it is before the first step and far from the training rows."""

import copy

import pytest
import torch
from torch import nn

from skae._starts import PrincipalComponents, linear_maps
from skae.estimators.transformer._module import (
    DistanceFade,
    FineTuned,
    Residual,
    last_member,
)
from skae.networks import Autoencoder, DenseNetwork


@pytest.fixture
def rows() -> torch.Tensor:
    return torch.randn(500, 4, generator=torch.Generator().manual_seed(0)).double()


@pytest.fixture
def residual(rows: torch.Tensor) -> Residual:
    network = DenseNetwork((8,)).build(
        (4,), (4,), 2, members=3, generator=torch.Generator().manual_seed(0)
    )
    parts = (rows[:300], rows[100:], rows)
    starts = [PrincipalComponents().fit(part.numpy()) for part in parts]
    return Residual(Autoencoder(*linear_maps(starts, 2)), network, rows)


def trainable(module: nn.Module) -> list[nn.Parameter]:
    return [p for p in module.parameters() if p.requires_grad]


def randomise(residual: Residual) -> None:
    generator = torch.Generator().manual_seed(1)
    for parameter in trainable(residual):
        parameter.data.normal_(generator=generator)


def test_is_the_start_before_the_first_step(
    residual: Residual, rows: torch.Tensor
) -> None:
    x = rows.expand(3, -1, -1)
    z = residual.start.encode(x)
    assert torch.equal(residual.encode(x), z)
    assert torch.equal(residual.decode(z), residual.start.decode(z))
    output = residual({"input": x, "target": x})["output"]
    assert torch.equal(output, residual.start.decode(z))


def test_forward_returns_the_code(residual: Residual, rows: torch.Tensor) -> None:
    randomise(residual)
    x = rows.expand(3, -1, -1)
    outputs = residual({"input": x})
    assert torch.equal(outputs["code"], residual.encode(x))
    assert torch.equal(outputs["output"], residual.decode(outputs["code"]))


def test_every_network_parameter_can_leave_zero(
    residual: Residual, rows: torch.Tensor
) -> None:
    """One step may only move the last layers; after it, all have a gradient."""
    x = rows[None, :50].expand(3, -1, -1)
    optimizer = torch.optim.SGD(trainable(residual), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        (residual({"input": x})["output"] - x).square().sum().backward()
        optimizer.step()
    for parameter in trainable(residual):
        # Once per member, else one of them would never learn.
        assert parameter.grad.flatten(1).any(dim=1).all()


def test_start_is_frozen(residual: Residual) -> None:
    assert not list(trainable(residual.start))
    assert list(trainable(residual))


def test_far_rows_get_the_start(residual: Residual, rows: torch.Tensor) -> None:
    randomise(residual)
    far = 100 * rows[:5].expand(3, -1, -1)
    near = rows[:5].expand(3, -1, -1)
    start = residual.start
    assert torch.equal(residual.encode(far), start.encode(far))
    assert torch.equal(residual.decode(far[..., :2]), start.decode(far[..., :2]))
    assert not torch.isclose(residual.encode(near), start.encode(near)).any()


def test_encoder_and_decoder_are_faded_by_their_own_distance(
    residual: Residual, rows: torch.Tensor
) -> None:
    randomise(residual)
    x = rows[:5].expand(3, -1, -1)
    for side, rows_of_side in (
        (residual.encoder, x),
        (residual.decoder, residual.encode(x)),
    ):
        torch.testing.assert_close(
            side(rows_of_side),
            side.start(rows_of_side)
            + side.fade(rows_of_side) * side.network(rows_of_side),
        )


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_weight_scales_what_the_network_adds(
    residual: Residual, rows: torch.Tensor, weight: float
) -> None:
    randomise(residual)
    x = rows[:5].expand(3, -1, -1)
    z = residual.start.encode(x)
    encoded, decoded = residual.encode(x) - z, residual.decode(z)
    decoded = decoded - residual.start.decode(z)
    residual.weight = weight
    torch.testing.assert_close(residual.encode(x) - z, weight * encoded)
    torch.testing.assert_close(
        residual.decode(z) - residual.start.decode(z), weight * decoded
    )


def test_last_member_predicts_as_it_did_among_the_others(
    residual: Residual, rows: torch.Tensor
) -> None:
    randomise(residual)
    x = rows[:5].expand(3, -1, -1)
    codes, restored = residual.encode(x), residual({"input": x})["output"]
    kept = last_member(residual)
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
    def trained(self, residual: Residual) -> Residual:
        randomise(residual)
        residual.weight = 0.5
        return last_member(residual)

    def test_is_the_start_before_the_first_step(
        self, trained: Residual, rows: torch.Tensor
    ) -> None:
        x = rows.expand(3, -1, -1)
        tuned = FineTuned(trained, 3)
        z = trained.encode(rows[None]).expand(3, -1, -1)
        torch.testing.assert_close(tuned.encode(x), z, atol=1e-12, rtol=0)
        torch.testing.assert_close(
            tuned.decode(z), tuned.start.decode(z), atol=0, rtol=0
        )

    @pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
    def test_weight_goes_from_the_start_to_the_copy(
        self, trained: Residual, rows: torch.Tensor, weight: float
    ) -> None:
        fine_tuned = FineTuned(trained, 3)
        randomise(fine_tuned)
        fine_tuned.weight = weight
        x, z = rows.expand(3, -1, -1), rows[:, :2].expand(3, -1, -1)
        for whole, start, tuned in (
            (
                fine_tuned.encode(x),
                fine_tuned.start.encode(x),
                fine_tuned.tuned.encode(x),
            ),
            (
                fine_tuned.decode(z),
                fine_tuned.start.decode(z),
                fine_tuned.tuned.decode(z),
            ),
        ):
            assert not torch.isclose(start, tuned).all()
            torch.testing.assert_close(whole, (1 - weight) * start + weight * tuned)

    def test_all_weights_of_the_copy_are_free_and_none_of_the_start(
        self, trained: Residual
    ) -> None:
        fine_tuned = FineTuned(trained, 3)
        assert not trainable(fine_tuned.start)
        free = trainable(fine_tuned.tuned)
        assert len(free) == len(list(trained.parameters()))
        assert all(len(parameter) == 3 for parameter in free)

    def test_what_it_starts_from_is_never_changed(self, trained: Residual) -> None:
        before = copy.deepcopy(trained.state_dict())
        fine_tuned = FineTuned(trained, 3)
        randomise(fine_tuned)
        for tensor in fine_tuned.start.parameters():
            tensor.zero_()
        for name, tensor in trained.state_dict().items():
            assert torch.equal(tensor, before[name])

    def test_tied_weights_stay_tied(self, rows: torch.Tensor) -> None:
        module = DenseNetwork((8,), tied_weights=True).build(
            (4,), (4,), 2, members=1, generator=torch.Generator().manual_seed(0)
        )
        n_parameters = len(list(module.parameters()))
        fine_tuned = FineTuned(module, 3)
        assert len(trainable(fine_tuned)) == n_parameters
        assert len(trainable(copy.deepcopy(fine_tuned).float())) == n_parameters


class TestDistanceFade:
    def test_values(self, rows: torch.Tensor) -> None:
        fade = DistanceFade(rows)
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
        assert (DistanceFade(rows)(rows[None]) == 1).double().mean() >= 0.99

    def test_one_wild_row_does_not_widen_the_radius(self, rows: torch.Tensor) -> None:
        """The outermost row of a thousand has no say in what is near."""
        rows = torch.cat([rows, rows])
        rows[0] = 50.0
        fade = DistanceFade(rows)
        assert fade(rows[None, :1]) == 0

    def test_unit_of_the_rows_is_irrelevant(self, rows: torch.Tensor) -> None:
        points = 3 * rows[None]
        torch.testing.assert_close(
            DistanceFade(2.0**40 * rows)(2.0**40 * points), DistanceFade(rows)(points)
        )

    @pytest.mark.parametrize("n", [1, 2, 5])
    def test_degenerate_rows_are_near(self, n: int) -> None:
        """Without any variance the centre is still inside and infinity outside."""
        fade = DistanceFade(torch.zeros(n, 3))
        assert fade(torch.zeros(1, 1, 3)) == 1
        assert fade(torch.full((1, 1, 3), 1e6)) == 0

    def test_leaving_a_constant_direction_counts_as_distance(
        self, rows: torch.Tensor
    ) -> None:
        rows = rows.clone()
        rows[:, 0] = 0
        away = torch.zeros(1, 1, 4).double()
        away[..., 0] = 1.0
        assert DistanceFade(rows)(away) == 0
