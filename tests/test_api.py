"""The Python interface on live graphs: what it reports, what it raises, and that it touches nothing."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

import oracle
from minigrad import Value


def graph() -> tuple[Value, dict[str, Value]]:
    a, b, c, f = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c"), Value(-2.0, "f")
    root = (a * b + c) * f
    root.backward()
    return root, {"a": a, "b": b, "c": c, "f": f}


def test_a_right_graph() -> None:
    root, leaves = graph()
    before = [(v.data, v.grad) for v in leaves.values()]
    report = oracle.diff(root)
    assert report.ok and not report.causes and report.unexplained == 0
    assert [(v.data, v.grad) for v in leaves.values()] == before


def test_the_widely_copied_wrong_number() -> None:
    """dL/db is -4; texts that say 4 contradict the rule of mul at its own operands."""
    root, leaves = graph()
    assert leaves["b"].grad == -4.0
    leaves["b"].grad = 4.0
    report = oracle.diff(root)
    (cause,) = report.causes
    assert (report.exit_code, cause.kind, cause.op, cause.operand) == (1, "derivative", "mul", 1)
    assert cause.example is not None
    assert (cause.example.yours, cause.example.local) == (4.0, -4.0)


def test_no_backward_yet() -> None:
    with pytest.raises(ValueError, match="backward"):
        oracle.diff(Value(1.0) * 2.0)


def test_not_a_graph() -> None:
    with pytest.raises(TypeError, match="minigrad"):
        oracle.diff(3.0)


def test_assert_matches_torch() -> None:
    oracle.assert_matches_torch(lambda a, b: (a * b + a).tanh() - b / 3, 1.0, 2.0, engine=Value)


def test_assert_names_the_rule() -> None:
    class Wrong(Value):
        """minigrad with a tanh that is nobody's."""

        __slots__ = ()

        def tanh(self) -> Value:
            return self * 0.5

    with pytest.raises(AssertionError, match="tanh computes a wrong value"):
        oracle.assert_matches_torch(lambda a: a.tanh(), 1.0, engine=Wrong)


def test_import_is_cheap() -> None:
    code = "import sys, oracle; print([m for m in ('torch', 'rich', 'click', 'mpmath', 'jinja2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_stay_functions() -> None:
    """A module of the same name would take its place when something imports it."""
    for name in oracle.__all__:
        getattr(oracle, name)
    graph_root, _ = graph()
    oracle.diff(graph_root)
    assert [name for name in oracle.__all__ if isinstance(getattr(oracle, name), types.ModuleType)] == []
    assert len(oracle.record(lambda a: a * a, 2.0)) == 2
