"""The batched reference has the scalar one's bits, for single programs and for packs, and is chosen by shape."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import fuzz, standard_reference, suite, torch_reference
from oracle.case import Backward, Case, Observation, Observe
from oracle.program import Num, Program
from oracle.torch_reference import batched, scalar
from oracle.vocabulary import ROWS, VOCABULARY

RULES = tuple((row.name, form) for row in ROWS if not row.settings[0] for form in row.forms)
SEVERAL = {"softsign", "tanhshrink"}
"""Ops that PyTorch makes of several others (2.13)."""


def bits(column: Sequence[float | None]) -> list[object]:
    """What tells numbers apart: 0.0 from -0.0, but no nan from another."""
    return ["nan" if x != x else x if x is None else struct.pack("d", x) for x in column]


def agree(one: Observation, other: Observation) -> bool:
    return bits(one.data) == bits(other.data) and bits(one.grad) == bits(other.grad)


def plain(case: Case) -> bool:
    return case.steps == (Backward(case.program.root), Observe())


def wide(nodes: int, seed: int) -> Program:
    """A random graph in which most values are used by many, and every one leads to the root."""
    draw = random.Random(seed)
    leaves = nodes // 20 + 2
    rows: list[tuple[str, tuple[int, ...]]] = []
    unused = set(range(leaves))
    while len(rows) < nodes or len(unused) > 1:
        size = leaves + len(rows)
        op = draw.choice(("add", "mul", "sub", "tanh", "relu", "div")) if len(rows) < nodes else "add"
        pool = range(size) if len(rows) < nodes else sorted(unused)
        a, b = draw.choice(pool), draw.choice(pool)
        rows.append((op, (a,) if op in ("tanh", "relu") else (a, b)))
        unused -= {a, b} if len(rows[-1][1]) == 2 else {a}
        unused.add(size)
    return Program.build([draw.uniform(-1, 1) for _ in range(leaves)], rows)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_random_programs_of_every_op_and_form(n: int) -> None:
    """Shared values, dead ends, plain numbers, special numbers, roots in the middle."""
    programs = [
        case.program for k in range(20) if plain(case := fuzz.case(RULES, str(n), k)) and case.program.ops
    ]
    packed = batched.plan(programs)
    inexact = batched.inexact(packed)
    for k, seen in enumerate(batched.observe(packed)):
        if k in inexact:
            assert SEVERAL & set(programs[k].ops)
        else:
            (expected,) = scalar.run(Case("random/program", programs[k]))
            assert agree(seen, expected), programs[k]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**9))
def test_wide_graphs(seed: int) -> None:
    program = wide(400, seed)
    plan = batched.plan([program])
    (expected,) = scalar.run(Case("random/wide", program))
    assert agree(batched.observe(plan)[0], expected)
    assert bits(batched.values(plan)[0]) == bits(scalar.values(program))


EXACT = ("add", "sub", "mul", "div", "neg", "relu", "abs", "maximum", "minimum", "reciprocal", "square")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**9))
def test_pytorchs_formulas_on_pythons_floats_have_its_bits(n: int) -> None:
    """Where arithmetic alone occurs, between values, and but for the sign of a zero; all finite, or no answer."""
    case = fuzz.case([(op, "-".join(["value"] * VOCABULARY[op].arity)) for op in EXACT], str(n), 0)
    if not plain(case):
        return
    seen = standard_reference.observe(case.program)
    (expected,) = scalar.run(Case("random/formulas", case.program))
    finite = all(x is None or math.isfinite(x) for x in (*expected.data, *expected.grad))
    assert (seen is None) != finite, case.program
    if seen is not None:
        assert (list(seen.data), list(seen.grad)) == (list(expected.data), list(expected.grad)), case.program


def test_pytorchs_formulas_of_any_op() -> None:
    """Parameters, plain numbers, and functions that round otherwise than PyTorch's."""
    program = Program.build(
        [0.3, -0.7],
        [
            ("tanh", (0,)), ("pow", (2, Num(3))), ("leaky_relu", (1,), {"negative_slope": 0.1}), ("mul", (3, 4)),
            ("sub", (Num(1.0), 5)), ("exp", (0,)), ("mul", (6, 7)), ("mul", (8, 2)),
        ],
        8,
    )  # fmt: skip
    seen, (expected,) = standard_reference.observe(program), scalar.run(Case("some/formulas", program))
    assert seen is not None and seen.grad[9] is expected.grad[9] is None
    assert list(seen.data) == pytest.approx(list(expected.data), rel=1e-14)
    assert list(seen.grad[:9]) == pytest.approx(list(expected.grad[:9]), rel=1e-14)


def test_the_suite_packed() -> None:
    """With every setting of every op, and the operands where they are special."""
    cases = [case for case in suite.cases() if len(case.program) < 1000 and plain(case)]
    plan = batched.plan([case.program for case in cases])
    inexact = batched.inexact(plan)
    for k, (case, seen) in enumerate(zip(cases, batched.observe(plan), strict=True)):
        assert agree(seen, scalar.run(case)[0]) or (k in inexact and SEVERAL & set(case.program.ops)), (
            case.name
        )


def test_a_pack_keeps_the_order_of_its_cases() -> None:
    """Also of those that have steps of their own, or must be run one by one."""
    cases = [case for case in suite.cases() if len(case.program) < 1000] * 3
    for case, seen in zip(cases, torch_reference.run_all(cases), strict=True):
        assert len(seen) == sum(isinstance(step, Observe) for step in case.steps)
        assert all(map(agree, seen, torch_reference.run(case))), case.name


def test_a_pushed_negative_zero_stays_one() -> None:
    program = Program.build([0.0, -1.0], [("mul", (0, 1)), ("mul", (2, Num(0.0))), ("mul", (3, Num(-1)))])
    (seen,), (expected,) = (
        batched.observe(batched.plan([program])),
        scalar.run(Case("zero/negative", program)),
    )
    assert agree(seen, expected)
    assert str(expected.grad[0]) == "0.0" and str(expected.grad[2]) == "-0.0"


@pytest.mark.parametrize("op", sorted(SEVERAL))
def test_an_op_of_several_on_a_shared_operand_is_left_to_the_scalar_path(op: str) -> None:
    shared = Program.build([0.3, 0.7], [("mul", (0, 1)), (op, (2,)), ("mul", (3, 2))])
    alone = Program.build([0.3, 0.7], [("mul", (0, 1)), (op, (2,)), ("mul", (3, 1))])
    assert batched.inexact(batched.plan([alone, shared])) == {1}


def test_chosen_by_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[str] = []
    monkeypatch.setattr(
        scalar, "run", lambda case, *wanted, run=scalar.run: chosen.append("scalar") or run(case)
    )
    monkeypatch.setattr(
        batched, "observe", lambda plan, run=batched.observe: chosen.append("batched") or run(plan)
    )
    chain = Program.build([1.0], [("mul", (k, Num(1.001))) for k in range(1000)])
    for program in (wide(3000, 1), chain, wide(30, 1)):
        torch_reference.run(Case("some/shape", program))
    assert chosen == ["batched", "scalar", "scalar"]
