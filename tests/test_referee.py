"""The referee knows the truth where PyTorch, or the subject, does not."""

from __future__ import annotations

import math
import random
import subprocess
import sys

import pytest

from oracle import referee, torch_reference
from oracle.referee import arbitrate
from oracle.vocabulary import VOCABULARY


def test_pytorchs_sqrt_is_off_by_an_ulp_on_about_one_input_in_a_hundred() -> None:
    rng = random.Random(1)
    xs = [rng.uniform(0.01, 100.0) for _ in range(2000)]
    theirs = torch_reference.local("sqrt", {}, [xs], [1.0] * len(xs)).values
    rulings = [
        arbitrate("sqrt", (x,), None, math.sqrt(x), y)
        for x, y in zip(xs, theirs, strict=True)
        if math.sqrt(x) != y
    ]
    assert 0.005 < len(rulings) / len(xs) < 0.03
    assert all(r.further == "torch" and r.subject <= 0.5 < r.torch < 1.5 for r in rulings)


def test_pytorchs_slope_of_hardsigmoid_is_a_float32() -> None:
    theirs = torch_reference.local("hardsigmoid", {}, [[0.7]], [2.0]).vjps[0][0]
    ruling = arbitrate("hardsigmoid", (0.7,), 0, 2.0 / 6.0, theirs, upstream=2.0)
    assert ruling.further == "torch"
    assert ruling.torch > 1e7 and ruling.subject < 1


def test_tanh_through_exp_is_the_one_that_is_wrong() -> None:
    x = 1e-9
    naive = (math.exp(2 * x) - 1) / (math.exp(2 * x) + 1)
    ruling = arbitrate("tanh", (x,), None, naive, math.tanh(x))
    assert ruling.further == "subject"
    assert ruling.subject > 1e6 and ruling.torch <= 1
    assert ruling.truth == 1e-9


@pytest.mark.parametrize(
    "op, point, slot, exact",
    [
        ("exp", (0.5,), 0, math.exp(0.5)),
        ("pow", (1.5, 40.0), 1, 1.5**40 * math.log(1.5)),
        ("log", (1e-300,), 0, 1e300),
        ("logaddexp", (0.0, 250.0), 0, math.exp(-250.0)),
        ("erf", (15.5,), 0, 2 / math.sqrt(math.pi) * math.exp(-(15.5**2))),
        ("tanhshrink", (1e-90,), 0, 1e-180),
        ("relu", (-3.0,), 0, 0.0),
        ("atan2", (-1.0, -2.0), 0, -0.4),
        ("gelu", (-5.0,), None, -2.5 * math.erfc(5 / math.sqrt(2))),
    ],
)
def test_slopes_are_exact_where_differences_of_floats_are_not(
    op: str, point: tuple[float, ...], slot: int | None, exact: float
) -> None:
    row = VOCABULARY[op]
    truth = referee.value(row, point) if slot is None else referee.slope(row, point, slot)
    assert float(truth) == pytest.approx(exact, rel=1e-13, abs=0.0)


def test_an_upstream_gradient_is_multiplied_exactly() -> None:
    ruling = arbitrate("mul", (1.1, 2.3), 0, -1.37 * 2.3, math.nextafter(-1.37 * 2.3, 0.0), upstream=-1.37)
    assert ruling.further == "torch"
    assert 0.0 < ruling.subject <= 0.5 <= ruling.torch


def test_parameters_reach_the_exact_formula() -> None:
    row = VOCABULARY["leaky_relu"]
    assert float(referee.slope(row, (-2.5,), 0)) == 0.01
    assert float(referee.slope(row, (-2.5,), 0, {"negative_slope": 0.25})) == 0.25
    given = {"beta": 2.5, "threshold": 20.0}
    assert float(referee.value(VOCABULARY["softplus"], (1.0,), given)) == pytest.approx(
        math.log1p(math.exp(2.5)) / 2.5
    )


@pytest.mark.parametrize(
    "op, point, slot",
    [("relu", (0.0,), 0), ("maximum", (1.5, 1.5), 1), ("log", (-1.5,), None), ("log", (0.0,), None),
     ("div", (1.0, 0.0), 0), ("exp", (math.inf,), None), ("tanh", (math.nan,), 0)],
)  # fmt: skip
def test_nobody_is_right_at_kinks_and_outside_the_domain(
    op: str, point: tuple[float, ...], slot: int | None
) -> None:
    ruling = arbitrate(op, point, slot, 0.0, 1.0)
    assert ruling.further is None and math.isnan(ruling.truth)


def test_equally_far_is_no_verdict() -> None:
    assert arbitrate("exp", (0.5,), None, math.exp(0.5), math.exp(0.5)).further is None


def test_infinity_is_further_than_any_number() -> None:
    ruling = arbitrate("exp", (0.5,), None, math.inf, 0.0)
    assert ruling.further == "subject" and ruling.subject == math.inf


def test_mpmath_is_not_imported_before_it_is_needed() -> None:
    program = "import sys, oracle.referee; sys.exit('mpmath' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
