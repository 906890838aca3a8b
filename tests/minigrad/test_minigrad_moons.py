"""Two moons: the training is PyTorch's, it ends with every point on its side, and it is shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import train_moons  # noqa: E402

U = 2.0**-53


def test_losses_are_pytorchs() -> None:
    """Each side on its own gradients. Measured: 5u in 100 steps with 100 points; a matrix product adds in another
    order. The bound is 32u; without weight decay, or with another rate, it is 1e12 u in the second step."""
    data, model = train_moons.moons(40), train_moons.network()
    steps = list(train_moons.history(model, data, 15, beside_torch=True))
    assert [step.torch is None for step in steps] == [False] * 15
    worst = max(abs(step.loss - (step.torch or 0.0)) / U for step in steps)
    print(f"\nlargest difference from PyTorch's loss in 15 steps: {worst:.1f} u")
    assert worst <= 32
    assert steps[-1].loss < steps[0].loss / 2


def test_every_point_ends_on_its_side() -> None:
    data, model = train_moons.moons(train_moons.POINTS), train_moons.network()
    steps = list(train_moons.history(model, data))
    assert steps[0].accuracy < 0.6
    assert steps[-1].accuracy == 1.0
    assert steps[-1].loss < 0.06


def test_moons_are_two_half_circles_that_reach_into_each_other() -> None:
    data = train_moons.moons(40, noise=0.0)
    assert data.sides == [1.0, -1.0] * 20
    for (x, y), side in zip(data.points, data.sides, strict=True):
        centre = (0.0, 0.0) if side > 0 else (1.0, 0.5)
        assert (x - centre[0]) ** 2 + (y - centre[1]) ** 2 == pytest.approx(1.0)
        assert (y - centre[1]) * side >= -1e-12
    assert train_moons.moons(40) == train_moons.moons(40) != train_moons.moons(40, seed=1)


def test_the_script_shows_progress_result_and_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = train_moons.main(["--steps", "3", "--beside-torch", "-o", str(tmp_path)])
    out = capsys.readouterr()
    assert code == 1  # three steps are too few, and the exit code says so
    assert "337 parameters, 100 points, 3 steps" in out.out
    assert "largest difference from PyTorch's loss" in out.out
    assert "step   3 of 3" in out.err
    for name in ("moons-boundary.svg", "moons-loss.svg"):
        assert (tmp_path / name).read_text(encoding="utf-8").startswith("<?xml")
