"""Programs are data: JSON both ways, the path of a bad field, forms and reachability."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.floats import from_hex, short, to_hex, ulps
from oracle.program import Num, Program, ProgramError
from oracle.recording import record

SAMPLE = Program.build(
    [2.0, -0.0, float("inf")],
    [
        ("mul", [0, 1]),
        ("add", [3, Num(2)]),
        ("pow", [4, Num(0.5)]),
        ("leaky_relu", [5], {"negative_slope": 0.5}),
    ],
    labels={0: "a"},
)


def test_json_round_trip() -> None:
    again = Program.from_json(json.loads(json.dumps(SAMPLE.to_json())))
    assert again == SAMPLE
    assert str(again.inputs[1]) == "-0.0"
    assert isinstance(again.numbers[0], int) and isinstance(again.numbers[1], float)


BROKEN: list[tuple[Any, str]] = [
    ([], "program"),
    ({}, "inputs"),
    ({"inputs": [1.0], "nodes": [], "root": 0}, "inputs[0]"),
    ({"inputs": ["0x1p0"], "nodes": [["mul", [0, 7]]], "root": 1}, "nodes[0][1][1]"),
    ({"inputs": ["0x1p0"], "nodes": [["mul"]], "root": 1}, "nodes[0]"),
    ({"inputs": ["0x1p0"], "nodes": [["mul", [0, {"num": 2}]]], "root": 1}, "nodes[0][1][1].num"),
    ({"inputs": ["0x1p0"], "nodes": [["mul", [0, True]]], "root": 1}, "nodes[0][1][1]"),
    ({"inputs": ["0x1p0"], "nodes": [["f", [0], {"p": "x"}]], "root": 1}, "nodes[0][2].p"),
    ({"inputs": ["0x1p0"], "nodes": [], "root": 5}, "root"),
    ({"inputs": ["0x1p0"], "nodes": [], "root": 0, "labels": {"9": "a"}}, "labels.9"),
    ({"inputs": ["0x1p0"], "nodes": [], "root": 0, "labels": ["a"]}, "labels"),
]


@pytest.mark.parametrize(("data", "path"), BROKEN)
def test_a_bad_file_gets_the_path_of_the_bad_field(data: Any, path: str) -> None:
    with pytest.raises(ProgramError) as caught:
        Program.from_json(data)
    assert str(caught.value).startswith(path + ":")


def test_forms_names_and_reachability() -> None:
    forms = [SAMPLE.form(node) for _, node in SAMPLE.nodes()]
    assert forms == ["value-value", "value-int", "value-float", "value"]
    assert SAMPLE.reaches() == [True, True, False, True, True, True, True]
    assert SAMPLE.name(0) == "a" and SAMPLE.name(3) == "v0"


def test_record_reads_like_mathematics() -> None:
    program = record(lambda x, y: abs((x * y + 2) / 3.0 - (1 - x) ** 2).tanh(), 1.5, -2.0)
    assert program.ops == ("mul", "add", "div", "sub", "pow", "sub", "abs", "tanh")
    assert [name for _, name in program.labels] == ["x", "y"]


def test_record_refuses_what_is_not_in_the_vocabulary() -> None:
    with pytest.raises(AttributeError, match="levitate"):
        record(lambda x: x.levitate(), 1.0)
    with pytest.raises(TypeError, match="not a value"):
        record(lambda x: 3.0, 1.0)
    with pytest.raises(TypeError, match="str"):
        record(lambda x: x + "1", 1.0)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_hex_round_trip(x: float) -> None:
    y = from_hex(to_hex(x))
    assert ulps(x, y) == 0.0


@pytest.mark.parametrize("text", ["1.0", "0x1", "0x1p99999", "NaN", "0x" + "f" * 99 + "p0", "", None, 1.0])
def test_other_spellings_are_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="C99 hex"):
        from_hex(text)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_short_tells_two_numbers_apart(x: float, y: float) -> None:
    if x != y:
        assert short(x, y) != short(y, x)
