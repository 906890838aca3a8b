"""The rows of the vocabulary: complete, PyTorch's to within their bounds, and bounded as measured.

The table of what was measured: `pytest -s tests/test_vocabulary.py -k measured`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from oracle import referee, torch_reference
from oracle.floats import TINY, U, same
from oracle.vocabulary import VOCABULARY, Bound, Kink, Op, Point, table
from oracle.vocabulary.op import EXACT, NO_ANSWER
from tests.forms import FORMS, Formulas

ROWS = list(VOCABULARY.values())
UPSTREAM = (1.0, -1.37)

each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


# Coverage --------------------------------------------------------------------------------------------------


def gaps(row: Op) -> list[str]:
    """What a row lacks, in words."""
    if len(row.vjp) != row.arity:
        return [f"{len(row.vjp)} vjp for {row.arity} operands"]
    found = []
    if len(row.points) < 5:
        found.append("fewer than five points")
    if any(x in (0, 1, -1) for p in row.points for x in p):
        found.append("a point of 0 or 1: too many wrong rules are right there")
    for slot in range(row.arity):
        spread = [p[slot] for p in row.points]
        mirrored = [_with(p, slot, -abs(p[slot])) for p in row.points]
        negative = any(row.ordinary(p) and row.smooth(p, row.forms[0]) for p in mirrored)
        if not any(x > 0 for x in spread) or (negative and not any(x < 0 for x in spread)):
            found.append(f"operand {slot}: points of one sign only")
    found += [f"the point {p} is not ordinary" for p in row.points if not row.ordinary(p)]
    found += [f"the edge {p} is a kink" for p in row.edges if row.kink(p) is not None]
    if len(set(row.points)) < len(row.points):
        found.append("a point twice")
    if not row.edges:
        found.append("no edges")
    if not row.spellings:
        found.append("no spelling")
    if row.name not in FORMS:
        found.append("no forms in tests/forms.py to measure its bounds with")
    for setting in row.settings:
        for jump in jumps(row, setting):
            found.append(f"the slope jumps at {jump} {setting or ''}, and there is no kink")
    return found


def _with(point: Point, slot: int, x: float) -> Point:
    return tuple(x if s == slot else y for s, y in enumerate(point))


def jumps(row: Op, setting: Any) -> Iterator[Point]:
    """Ordinary operands where the slope is not what it is a little to the left, or to the right."""
    spots = (0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.0, -2.0, 2.5, -2.5, 3.0, -3.0, 6.0, 20.0)
    candidates = [(x,) for x in spots] if row.arity == 1 else [(x, x) for x in spots]
    for point in candidates:
        if not row.ordinary(point, setting):
            continue
        sides = [_slope(row, _with(point, 0, point[0] + h), setting) for h in (-1e-9, 1e-9)]
        if None not in sides and abs(sides[0] - sides[1]) > 1e-6 * (1 + abs(sides[0])):  # type: ignore[operator]
            yield point


def _slope(row: Op, point: Point, setting: Any) -> float | None:
    if not row.vjp or not row.ordinary(point, setting):
        return None
    try:
        return row.vjp[0](1.0, row.value(*point, **setting), *point, **setting)
    except NO_ANSWER:
        return None


@each_row
def test_row_is_complete(row: Op) -> None:
    assert gaps(row) == []


INCOMPLETE = {
    "fewer than five points": replace(VOCABULARY["tanh"], points=((0.7,), (-2.4,))),
    "a point of 0 or 1": replace(VOCABULARY["tanh"], points=((1.0,),)),
    "one sign only": replace(VOCABULARY["tanh"], points=((0.7,), (2.4,))),
    "is not ordinary": replace(VOCABULARY["log"], points=((-0.7,),)),
    "is a kink": replace(VOCABULARY["relu"], edges=((0.0,),)),
    "1 vjp for 2 operands": replace(VOCABULARY["mul"], vjp=VOCABULARY["mul"].vjp[:1]),
    "no spelling": replace(VOCABULARY["tanh"], spellings=()),
    "no forms": replace(VOCABULARY["tanh"], name="tanhh"),
    "the slope jumps": replace(VOCABULARY["relu"], kinks=()),
}


@pytest.mark.parametrize("gap", INCOMPLETE)
def test_incomplete_row_is_caught(gap: str) -> None:
    assert any(gap in line for line in gaps(INCOMPLETE[gap]))


# PyTorch -----------------------------------------------------------------------------------------------------


def everywhere(row: Op, setting: Any) -> list[Point]:
    """Points, edges and kinks of a row for these parameters."""
    kinks = row.bends(**setting) if row.bends else row.kinks
    return [*row.points, *row.edges, *(kink.point for kink in kinks)]


def disagreements(row: Op) -> list[str]:
    """Where the standard library's answer is not PyTorch's, up to the bound."""
    found = []
    for setting in row.settings:
        points = everywhere(row, setting)
        columns = [[p[slot] for p in points] for slot in range(row.arity)]
        for g in UPSTREAM:
            answer = _torch(row, setting, columns, [g] * len(points))
            for n, point in enumerate(points):
                where = f"{row.name}{point} {setting or ''}"
                y = _answer(row.value, *point, **setting)
                if y is None:
                    continue
                if not _close(y, answer.values[n], row.value_bound, point, 1.0, setting):
                    found.append(f"{where}: {y!r}, PyTorch has {answer.values[n]!r}")
                for slot, vjp in enumerate(row.vjp):
                    own, theirs = _answer(vjp, g, y, *point, **setting), answer.vjps[slot][n]
                    if own is not None and not _close(own, theirs, row.slope_bound, point, abs(g), setting):
                        found.append(f"{where} slope {slot} upstream {g}: {own!r}, PyTorch has {theirs!r}")
    return found


def _torch(row: Op, setting: Any, columns: Any, upstream: Any) -> torch_reference.Local:
    t = torch_reference.torch()
    operands = [t.tensor(column, dtype=t.float64, requires_grad=True) for column in columns]
    result = row.torch(t, *operands, **setting)
    grads = t.autograd.grad(
        result, operands, t.tensor(upstream, dtype=t.float64), allow_unused=True, materialize_grads=True
    )
    return torch_reference.Local(result.tolist(), [g.tolist() for g in grads])


def _answer(f: Callable[..., float], *args: float, **setting: Any) -> float | None:
    try:
        return float(f(*args, **setting))
    except NO_ANSWER:
        return None


def _close(x: float, y: float, bound: Bound, point: Point, scale: float, setting: Any) -> bool:
    if same(x, y):
        return True
    allowed = bound.at(point, y, scale, setting) + 8 * TINY * U
    return math.isfinite(x) and math.isfinite(y) and abs(x - y) <= allowed


@each_row
def test_row_is_pytorchs(row: Op) -> None:
    assert disagreements(row) == []


@pytest.mark.parametrize(
    "row",
    [
        replace(VOCABULARY["tanh"], vjp=(lambda g, y, a: g * (1.0 - y),)),
        replace(VOCABULARY["softplus"], value=lambda a, beta, threshold: math.log(1.0 + math.exp(a))),
        replace(VOCABULARY["log"], value=lambda a: -math.inf if a <= 0 else math.log(a)),
        replace(VOCABULARY["relu"], vjp=(lambda g, y, a: 0.0 if a < 0 else g,)),
        replace(VOCABULARY["atan2"], vjp=VOCABULARY["atan2"].vjp[::-1]),
    ],
    ids=lambda row: row.name,
)
def test_wrong_row_is_caught(row: Op) -> None:
    assert disagreements(row)


# Kinks -------------------------------------------------------------------------------------------------------


@each_row
def test_pytorchs_choice_at_kinks(row: Op) -> None:
    for setting in row.settings:
        for kink in row.bends(**setting) if row.bends else row.kinks:
            assert row.kink(kink.point, setting) is not None
            assert kink.low <= kink.torch <= kink.high
            answer = _torch(row, setting, [[x] for x in kink.point], [2.0])
            weights = [vjp[0] / 2.0 for vjp in answer.vjps]
            assert weights[0] == pytest.approx(kink.torch, rel=1e-15)
            if row.arity == 2:
                assert sum(weights) == 1.0


@each_row
def test_subdifferential_is_what_lies_between_the_sides(row: Op) -> None:
    if row.arity == 2:
        return
    for setting in row.settings:
        for kink in row.bends(**setting) if row.bends else row.kinks:
            (x,) = kink.point
            sides = sorted(
                row.vjp[0](1.0, row.value(z, **setting), z, **setting) for z in (x - 1e-9, x + 1e-9)
            )
            if max(abs(sides[0] - sides[1]), abs(kink.low - kink.high)) > 1e-6 and not _cut_off(row, setting):
                assert [kink.low, kink.high] == pytest.approx(sides, abs=1e-7)


def _cut_off(row: Op, setting: Any) -> bool:
    """Clamp with its ends exchanged is flat: its kinks are inside each other's flat piece."""
    return row.name == "clamp" and setting.get("min", -math.inf) > (setting.get("max") or math.inf)


# Bounds, measured ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Worst:
    """The worst of a formula: its error in u, relative and absolute, and as a share of the bound."""

    share: float = 0.0
    relative: float = 0.0
    absolute: float = 0.0
    point: Point = ()


def operands(row: Op, count: int) -> list[Point]:
    """The row's points and as many random ordinary operands, of several kinds; the same in every run."""
    rng = random.Random(row.name)

    def draw() -> float:
        sign = rng.choice((1.0, -1.0))
        return rng.choice(
            (
                sign * rng.uniform(0, 10),
                sign * rng.uniform(0, 10),
                sign * rng.uniform(0, 1),
                sign * 10 ** rng.uniform(-9, 2.4),
                sign * (1 + rng.choice((1, -1)) * 10 ** rng.uniform(-6, 0)),
            )
        )

    found = list(row.points)
    while len(found) < count + len(row.points):
        point = tuple(draw() for _ in range(row.arity))
        if row.name == "pow" and rng.random() < 0.5:
            point = (point[0], rng.choice((2.0, 3.0, 4.0, 7.0, 40.0, -1.0, -2.0, 0.5)))
        if row.ordinary(point) and row.smooth(point, row.forms[0]):
            found.append(point)
    return found


def worst(
    formula: Callable[..., float], bound: Bound, exact: dict[Point, Any], scale: float, setting: Any
) -> Worst:
    """Measure one formula against the exact numbers. A bound of 0 asks for the exact number, rounded once."""
    found = Worst()
    for point, truth in exact.items():
        observed = _answer(formula, *point)
        if observed is None:
            continue
        rounded = float(truth)
        with referee.mpmath().workdps(referee.DIGITS[0]):
            error = float(abs(observed - truth)) / U if bound != EXACT else abs(observed - rounded) / U
        allowed = bound.at(point, rounded, scale, setting) / U
        share = error / allowed if allowed else math.inf if error else 0.0
        relative = error / abs(rounded) if rounded else 0.0
        found = Worst(
            max(found.share, share),
            max(found.relative, relative),
            max(found.absolute, error),
            point if share > found.share else found.point,
        )
    return found


def formulas(row: Op, slot: int | None, g: float) -> tuple[Formulas, Formulas]:
    """The formulas for a value (slot None) or a slope times g: right ones, and ones beyond the bound."""
    forms, given = FORMS[row.name], row.settings[0]
    beyond = {**row.naive.get(slot, {}), **forms.beyond.get(slot, {})}
    if slot is None:
        return {"PyTorch's": lambda *x: row.value(*x, **given), **forms.values}, beyond
    slopes = forms.slopes[slot] if slot < len(forms.slopes) else {}
    own = {"PyTorch's": lambda *x: row.vjp[slot](g, row.value(*x, **given), *x, **given)}
    return {**own, **_times(g, slopes)}, _times(g, beyond)


def _times(g: float, slopes: Formulas) -> dict[str, Callable[..., float]]:
    return {name: lambda *x, f=f: g * f(*x) for name, f in slopes.items()}  # type: ignore[misc]


COUNT = 40
"""Random operands per row in the test; the numbers beside the bounds were measured with 1,000."""


def measure(row: Op, count: int) -> Iterator[tuple[int | None, str, Worst, bool]]:
    """For each value and slope: the formula, its worst, and whether it is one that must be beyond the bound."""
    points, given, m = operands(row, count), row.settings[0], referee.mpmath()
    for slot in (None, *range(row.arity)):
        g = 1.0 if slot is None else UPSTREAM[1]
        bound = row.value_bound if slot is None else row.slope_bound
        exact = {}
        for point in points:
            try:
                truth = referee.value(row, point) if slot is None else referee.slope(row, point, slot)
            except referee.Undecidable:
                continue
            if truth == 0 or abs(truth) > 1e-290:
                with m.workdps(referee.DIGITS[0]):
                    exact[point] = g * truth
        assert len(exact) > len(points) / 2
        right, beyond = formulas(row, slot, g)
        for name, formula in (*right.items(), *beyond.items()):
            yield slot, name, worst(formula, bound, exact, abs(g), given), name in beyond


@each_row
def test_bounds_are_twice_what_was_measured(row: Op) -> None:
    for slot, name, found, beyond in measure(row, COUNT):
        bound = row.value_bound if slot is None else row.slope_bound
        what = "value" if slot is None else f"slope {slot}"
        print(
            f"\n{row.name:12} {what:8} {name[:40]:40} {found.relative:9.3g} relative {found.absolute:9.3g} "
            f"absolute {found.share:8.2g} of {bound}",
            end="",
        )
        where = f"{row.name} {what} by {name} at {found.point}: {found.share:.3g} of the bound {bound}"
        assert found.share > 1.0 if beyond else found.share <= 0.5, where


@pytest.mark.parametrize(
    "row",
    [replace(VOCABULARY["log10"], value_bound=Bound(1)), replace(VOCABULARY["mul"], slope_bound=Bound(1))],
    ids=lambda row: row.name,
)
def test_bound_that_is_too_small_is_caught(row: Op) -> None:
    assert any(found.share > 0.5 for _, _, found, _ in measure(row, COUNT))


# Documentation --------------------------------------------------------------------------------------------------


def test_readme_has_the_table_of_the_rows() -> None:
    text = table.README.read_text(encoding="utf-8") if table.README.exists() else ""
    if table.BEGIN not in text:
        pytest.skip("README has no markers for the vocabulary")
    assert table.between_markers(text) == table.markdown()


def test_table_names_every_op() -> None:
    lines = table.markdown().splitlines()
    assert len(lines) == len(ROWS) + 2
    assert all(f"`{row.name}`" in line for row, line in zip(ROWS, lines[2:], strict=True))


def test_flat_operands_are_those_of_steps() -> None:
    flat = {(row.name, slot) for row in ROWS for slot in range(row.arity) if row.flat(slot)}
    assert flat == {
        *((name, 0) for name in ("sign", "floor", "ceil", "round", "trunc")),
        ("copysign", 1),
    }


def test_kinks_are_plain_data() -> None:
    assert all(isinstance(kink, Kink) for row in ROWS for kink in row.kinks)
