"""Names that were meant to be an operator's."""

from __future__ import annotations

import pytest

from oracle.subjects.near import DUNDERS, near_misses

MISSES = {
    "__subtract__": "__sub__",
    "_truediv_": "__truediv__",
    "__divide__": "__truediv__",
    "__div__": "__truediv__",
    "__inti__": "__init__",
    "__rsubtract__": "__rsub__",
    "__rdiv__": "__rtruediv__",
    "__turediv__": "__truediv__",
    "__rturediv__": "__rtruediv__",
    "__negate__": "__neg__",
    "__Mul__": "__mul__",
    "_add_": "__add__",
    "__multiply__": "__mul__",
    "pow": "__pow__",
    "rsub": "__rsub__",
}


@pytest.mark.parametrize("name", MISSES)
def test_miss(name: str) -> None:
    assert near_misses(["data", name, "backward"]) == {MISSES[name]: name}


INNOCENT = [
    "_backward",
    "add",
    "subtract",
    "init",
    "repr",
    "__repr__",
    "__str__",
    "__slots__",
    "__hash__",
    "__eq__",
    "__lt__",
    "_op",
]


def test_what_is_no_miss() -> None:
    assert near_misses(INNOCENT) == {}
    assert near_misses(DUNDERS) == {}
    assert near_misses(["__sub__", "__subtract__"]) == {}, "the real one is there"
    assert near_misses(["__floordiv__", "__matmul__", "__iadd__", "__isub__", "__int__", "__rmod__"]) == {}
