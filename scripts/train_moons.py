"""Two moons: an MLP 2-16-16-1 of single numbers learns which of two crescents a point is on.

The loss is max-margin with weight decay. `history` trains and yields every step as data; the rest shows it.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import plots

from minigrad import Value, dot, losses, optim
from minigrad.nn import MLP

ROOT = Path(__file__).resolve().parent.parent
SIZES = [16, 16, 1]
POINTS, STEPS, SEED = 100, 100, 1337
DECAY = 1e-4


class Moons(NamedTuple):
    """points: x and y of each; sides: 1.0 on the upper crescent, -1.0 on the lower."""

    points: list[tuple[float, float]]
    sides: list[float]


class Step(NamedTuple):
    """loss: before the step's update; accuracy: the share of points on their side then; torch: PyTorch's loss, if
    it was trained beside."""

    loss: float
    accuracy: float
    torch: float | None


def moons(count: int, noise: float = 0.1, seed: int = SEED) -> Moons:
    """Points on two half circles of radius 1 that reach into each other, taken in turn.

    The upper is centred at (0, 0), the lower at (1, 0.5); `noise` is the standard deviation of both coordinates.
    """
    rng = random.Random(seed)
    points, sides = [], []
    for k in range(count):
        angle = math.pi * (k // 2) / max(1, (count - 1) // 2)
        x, y = (
            (math.cos(angle), math.sin(angle)) if k % 2 == 0 else (1 - math.cos(angle), 0.5 - math.sin(angle))
        )
        points.append((x + rng.gauss(0, noise), y + rng.gauss(0, noise)))
        sides.append(1.0 if k % 2 == 0 else -1.0)
    return Moons(points, sides)


def network() -> MLP:
    """The network before its first step: the same in every run."""
    return MLP(2, SIZES, rng=random.Random(SEED), fused=True)


def loss_of(model: MLP, scores: Sequence[Value], data: Moons) -> Value:
    """The mean of max(0, 1 - side*score), and DECAY times the sum of all squared parameters."""
    squares = dot(model.parameters(), model.parameters())
    return losses.hinge(scores, data.sides) + DECAY * squares  # type: ignore[no-any-return]


def rate(step: int, steps: int) -> float:
    """The learning rate's factor: from 1 down to a tenth, in a line."""
    return 1.0 - 0.9 * step / steps


def history(model: MLP, data: Moons, steps: int = STEPS, beside_torch: bool = False) -> Iterator[Step]:
    """Train the model, a step for each item; PyTorch too, from the same weights and on its own, when asked."""
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    schedule = optim.LambdaLR(optimizer, lambda step: rate(step, steps))
    theirs = torch_losses(model, data, steps) if beside_torch else None
    for _ in range(steps):
        scores: list[Any] = [model(point) for point in data.points]
        loss = loss_of(model, scores, data)
        optimizer.zero_grad()
        loss.backward()
        right = sum((score.data > 0) == (side > 0) for score, side in zip(scores, data.sides, strict=True))
        yield Step(loss.data, right / len(scores), None if theirs is None else next(theirs))
        optimizer.step()
        schedule.step()


def torch_losses(model: MLP, data: Moons, steps: int) -> Iterator[float]:
    """The losses of the equivalent torch.nn.Sequential, written as one would write it there."""
    import oracle
    from oracle.torch_reference import torch

    t = torch()
    sequential = oracle.to_torch(model)
    points, sides = t.tensor(data.points, dtype=t.float64), t.tensor(data.sides, dtype=t.float64)
    optimizer = t.optim.SGD(sequential.parameters(), lr=1.0)
    schedule = t.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps))
    for _ in range(steps):
        margin = t.relu(1 - sequential(points)[:, 0] * sides).mean()
        loss = margin + DECAY * sum((p * p).sum() for p in sequential.parameters())
        optimizer.zero_grad()
        loss.backward()
        yield loss.item()
        optimizer.step()
        schedule.step()


def boundary(model: MLP, data: Moons, cells: int = 48) -> tuple[list[float], list[float], list[list[float]]]:
    """The network's score on a grid around the points: the grid's x, its y, and a row of scores for each y."""
    axes = []
    for column in zip(*data.points, strict=True):
        low, high = min(column) - 0.4, max(column) + 0.4
        axes.append([low + (high - low) * k / cells for k in range(cells + 1)])
    xs, ys = axes
    scores: list[list[float]] = []
    for y in ys:
        row: list[Any] = [model((x, y)) for x in xs]
        scores.append([score.data for score in row])
    return xs, ys, scores


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/train_moons", description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS, help=f"default {STEPS}")
    parser.add_argument("--beside-torch", action="store_true", help="train PyTorch too, and say where it is")
    parser.add_argument(
        "-o",
        dest="directory",
        type=Path,
        default=ROOT / ".github" / "pictures" / "training",
        help="for the pictures",
    )
    options = parser.parse_args(arguments)
    if options.steps < 1:
        parser.error("--steps must be 1 or more")

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    data, model = moons(POINTS), network()
    done: list[Step] = []
    columns = (
        TextColumn("step {task.completed:>3} of {task.total}"),
        BarColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=options.steps)
        for step in history(model, data, options.steps, options.beside_torch):
            done.append(step)
            beside = "" if step.torch is None else f"  PyTorch {step.torch:.6f}"
            words = f"loss {step.loss:.6f}{beside}  accuracy {step.accuracy:4.0%}"
            progress.update(task, advance=1, description=words)

    last = done[-1]
    print(f"{len(model.parameters())} parameters, {POINTS} points, {len(done)} steps")
    print(f"loss {done[0].loss:.6f} → {last.loss:.6f}, accuracy {done[0].accuracy:.0%} → {last.accuracy:.0%}")
    if last.torch is not None:
        apart = max(abs(step.loss - step.torch) for step in done if step.torch is not None)
        print(f"largest difference from PyTorch's loss in any step: {apart:.1e}")
    options.directory.mkdir(parents=True, exist_ok=True)
    for name, picture in (
        ("moons-boundary", plots.moons(data.points, data.sides, *boundary(model, data))),
        ("moons-loss", plots.descent([s.loss for s in done], [s.accuracy for s in done])),
    ):
        (options.directory / f"{name}.svg").write_text(picture, encoding="utf-8")
        print(options.directory / f"{name}.svg")
    return 0 if last.accuracy == 1.0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
