"""Every op against PyTorch at edge and random points: the table of ulp, measured and asserted."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any, NamedTuple

import pytest
from torch_twin import INF, NAN, alone, bits, ulps

from minigrad.rules import PARAMETRISED, RULES

# Twice the largest difference measured (CPython 3.11, glibc, PyTorch 2.13): (data, gradient), in ulp of PyTorch's
# number, or where "of 1" is said, in ulp of 1 times the upstream gradient: there PyTorch's formula cancels, or
# the value has a zero that is not at 0. Every other op is bit-identical. What differs is the mathematical
# library: Python's and PyTorch's exp, tanh, … are both within an ulp or two of the truth, on different sides.
BOUNDS: dict[str, tuple[float, float]] = {
    "acos": (2, 0),
    "asin": (2, 0),
    "atan": (2, 0),
    "cos": (2, 2),
    "erf": (2, 6),
    "erfc": (4, 2),
    "exp": (2, 4),
    "hypot": (2, 4),
    "lgamma": (14, 0),  # Python's own lgamma; the zeros at 1 and 2 make it "of 1"
    "log10": (4, 0),
    "log2": (2, 0),
    "logaddexp": (0, 4),
    "pow number": (2, 4),  # 0.5 and -0.5 only: square roots
    "sin": (2, 2),
    "sinc": (0, 2500),  # cancels near 0, in PyTorch as here
    "sqrt": (2, 4),
    "tan": (2, 6),
    "tanh": (4, 2),
    "tanhshrink": (1, 2),
}

OF_ONE = {
    ("tanh", "grad"),
    ("tanhshrink", "data"),
    ("tanhshrink", "grad"),
    ("lgamma", "data"),
    ("sinc", "grad"),
}

# Parameters beside the defaults.
PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "clamp": [{"min": -1.0}, {"max": 1.0}, {"min": -1.0, "max": 1.0}, {"min": 1.0, "max": -1.0}],
    "hardtanh": [{}, {"min_val": -2.0, "max_val": 0.5}],
    "leaky_relu": [{}, {"negative_slope": 0.2}],
    "elu": [{}, {"alpha": 0.3}],
    "celu": [{}, {"alpha": 0.3}],
    "gelu": [{}, {"approximate": "tanh"}],
    "softplus": [{}, {"beta": 2.5, "threshold": 3.0}],
    "softshrink": [{}, {"lambd": 1.5}],
    "hardshrink": [{}, {"lambd": 1.5}],
    "threshold": [{"threshold": 0.5, "value": -7.0}],
    "addcmul": [{}, {"value": -0.3}],
    "addcdiv": [{}, {"value": -0.3}],
}

KINKS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 2.0, 3.0, -3.0, 6.0, 20.0]
EXTREMES = [
    INF,
    -INF,
    NAN,
    5e-324,
    -5e-324,
    1e-310,
    1e-200,
    -1e-200,
    1e-9,
    -1e-9,
    1e9,
    1e200,
    -1e200,
    1.7e308,
]
OVERFLOWS = [709.5, 709.9, -709.9, -745.5, 36.8, -36.8, 40.0, -40.0, 1023.9, 1024.5, -1074.5, -1075.5]
PAIRS = [0.0, -0.0, 1.0, -1.0, 2.0, -0.5, 3.0, INF, -INF, NAN, 5e-324, -1e-200, 1e200]

PARAMETERS["pow number"] = [
    {"exponent": k} for k in (0, 1, 2, 3, 4, -1, -2, -3, 0.5, -0.5, 1.5, 1 / 3, INF, NAN)
]

ARITY = {op: len(rule.vjps) for op, rule in (PARAMETRISED | RULES).items()}
ARITY["pow number"] = 1  # pow with a plain exponent has a rule of its own
UPSTREAM = (1.0, -0.75)


def points(op: str, scattered: int) -> list[tuple[float, ...]]:
    """Edge points, all pairs of them for two operands, and `scattered` random ones of several kinds."""
    rng = random.Random(op)

    def scatter() -> float:
        return rng.choice(
            (rng.uniform(-1, 1), rng.gauss(0, 5), rng.uniform(0, 3), 10 ** rng.uniform(-12, 12))
        )

    n = ARITY[op]
    if n == 1:
        edges = [(x,) for x in KINKS + EXTREMES + OVERFLOWS]
    elif n == 2:
        edges = list(itertools.product(PAIRS, PAIRS))
    else:
        edges = [tuple(rng.choice(PAIRS) for _ in range(n)) for _ in range(150)]
    return edges + [tuple(scatter() for _ in range(n)) for _ in range(scattered)]


class Worst(NamedTuple):
    """The largest difference seen, and where: a line to print."""

    difference: float = 0.0
    where: str = ""


def difference(op: str, what: str, got: float, want: float, upstream: float) -> float:
    """In the unit that BOUNDS states; zeros of different sign count as inf."""
    if (op, what) in OF_ONE and math.isfinite(got) and math.isfinite(want):
        return abs(got - want) / (2.0**-52 * max(1.0, abs(upstream if what == "grad" else want)))
    d = ulps(got, want)
    return INF if d == 0 and bits(got) != bits(want) else d


def measure(op: str, scattered: int = 60) -> dict[str, Worst]:
    worst = {"data": Worst(), "grad": Worst()}

    def look(what: str, got: float, want: float, upstream: float, where: str) -> None:
        d = difference(op, what, got, want, upstream)
        if d > worst[what].difference:
            worst[what] = Worst(d, f"{where}: {got!r}, PyTorch has {want!r}")

    for parameters in PARAMETERS.get(op, [{}]):
        for point, upstream in itertools.product(points(op, scattered), UPSTREAM):
            where = f"{op}{point} {parameters or ''} upstream {upstream}"
            (data, grads), (torch_data, torch_grads) = alone(op.split()[0], point, parameters, upstream)
            look("data", data, torch_data, upstream, where)
            for slot, (got, want) in enumerate(zip(grads, torch_grads, strict=True)):
                look("grad", got, want, upstream, f"{where} operand {slot}")
    return worst


OPS = sorted(ARITY)


@pytest.mark.parametrize("op", OPS)
def test_op_is_pytorchs_within_its_measured_ulp(op: str) -> None:
    worst = measure(op)
    data, grad = BOUNDS.get(op, (0, 0))
    unit = {what: "ulp of 1" if (op, what) in OF_ONE else "ulp" for what in worst}
    print(
        f"\n{op:12} " + ", ".join(f"{what} {w.difference:.3g} {unit[what]}" for what, w in worst.items()),
        end="",
    )
    assert worst["data"].difference <= data, worst["data"].where
    assert worst["grad"].difference <= grad, worst["grad"].where


def main() -> None:
    """Print the table, with more points than the test takes: `python test_minigrad_ops.py`."""
    for op in OPS:
        worst = measure(op, scattered=1000)
        print(f"{op:12} {worst['data'].difference:8.3g} {worst['grad'].difference:8.3g}")


if __name__ == "__main__":
    main()
