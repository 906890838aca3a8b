"""Numbers found from equations that hold up to known rounding: one that all share, or a few by linear equations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

SLACK = 1e-12
"""Agreement of a rate between parameters, relative, beyond the rounding of each."""

KNOWN = 1e-3
"""A coefficient is found when rounding leaves no more of it open than this, relative."""


def agreed(rows: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """The rate that all of (rate, error) share, as the best of them knows it, and its error; None if they do not."""
    if not rows:
        return None
    rate, error = min(rows, key=lambda row: row[1])
    if all(abs(r - rate) <= e + error + SLACK * abs(rate) for r, e in rows):
        return rounded(rate, error), error
    return None


class Row(NamedTuple):
    """One equation: y = Σ coefficient · x, up to noise (absolute)."""

    y: float
    xs: tuple[float, ...]
    noise: float


class Fit(NamedTuple):
    """Coefficients, and what rounding leaves open of each."""

    numbers: tuple[float, ...]
    errors: tuple[float, ...]


def fit(rows: Sequence[Row]) -> Fit | None:
    """The coefficients with which every row holds, where there is a row more at least than there are of them.

    None, too, where the rows hold without one of them, or leave one open: then a simpler rule is meant, or none.
    """
    rows = [row for row in rows if row.noise and all(map(math.isfinite, (row.y, *row.xs, row.noise)))]
    rows = [Row(row.y / row.noise, tuple(x / row.noise for x in row.xs), 1.0) for row in rows]
    size = len(rows[0].xs) if rows else 0
    sizes = [max((abs(row.xs[k]) for row in rows), default=0.0) for k in range(size)]
    if len(rows) <= size or not all(sizes):
        return None
    scaled = [Row(row.y, tuple(x / s for x, s in zip(row.xs, sizes, strict=True)), row.noise) for row in rows]
    inverse = _inverse(chosen := _independent(scaled, size))
    if inverse is None:
        return None
    found = [sum(a * row.y for a, row in zip(line, chosen, strict=True)) for line in inverse]
    error = [sum(abs(a) * row.noise for a, row in zip(line, chosen, strict=True)) for line in inverse]
    for row in scaled:
        parts = [c * x for c, x in zip(found, row.xs, strict=True)]
        allowed = 2 * (row.noise + sum(e * abs(x) for e, x in zip(error, row.xs, strict=True)))
        if abs(row.y - sum(parts)) > allowed + SLACK * sum(map(abs, parts)):
            return None
    known = all(e <= KNOWN * abs(c) for c, e in zip(found, error, strict=True))
    if not known or min(map(abs, found)) <= 1e-9 * max(abs(row.y) for row in scaled):
        return None
    numbers = tuple(rounded(c / s, e / s) for c, e, s in zip(found, error, sizes, strict=True))
    return Fit(numbers, tuple(e / s for e, s in zip(error, sizes, strict=True)))


def _independent(rows: Sequence[Row], size: int) -> list[Row]:
    """As many rows as there are unknowns, as far from each other's span as greedy choice gets them."""
    rest = [(row, list(row.xs)) for row in rows]
    chosen = []
    for _ in range(size):
        row, residue = max(rest, key=lambda pair: sum(x * x for x in pair[1]))
        chosen.append(row)
        norm = sum(x * x for x in residue)
        if norm:
            for _, xs in rest:
                part = sum(a * b for a, b in zip(xs, residue, strict=True)) / norm
                xs[:] = [a - part * b for a, b in zip(xs, residue, strict=True)]
    return chosen


def _inverse(rows: Sequence[Row]) -> list[list[float]] | None:
    """The inverse of a small matrix by elimination; None where it is singular, or nearly so."""
    size = len(rows)
    lines = [[*row.xs, *(float(k == n) for n in range(size))] for k, row in enumerate(rows)]
    for k in range(size):
        pivot = max(range(k, size), key=lambda n: abs(lines[n][k]))
        lines[k], lines[pivot] = lines[pivot], lines[k]
        if abs(lines[k][k]) < 1e-12:
            return None
        lines[k] = [x / lines[k][k] for x in lines[k]]
        for n in range(size):
            if n != k:
                lines[n] = [a - lines[n][k] * b for a, b in zip(lines[n], lines[k], strict=True)]
    return [line[size:] for line in lines]


def rounded(x: float, error: float) -> float:
    """The shortest decimal within the error of a measured number."""
    for digits in range(1, 17):
        candidate = float(f"{x:.{digits}g}")
        if abs(candidate - x) <= 2 * error + SLACK * abs(x):
            return candidate
    return x
