"""The terminal's screen: what a reader meets, in which order, in how much room."""

from __future__ import annotations

import dataclasses
import io
import re

import pytest

from oracle.report import CaseResult
from oracle.reports import text, words

from . import examples


def test_a_faulty_engine() -> None:
    """Read it aloud: the verdict, the rule, the place, the lines to paste, the reach, a hint."""
    report = examples.report(examples.overwrite())
    assert text.render(report, width=80, pictures=["pictures/1-mul-accumulation.svg"]) == (
        """\
✗ engine.py:Value: 1 rule is wrong.

✗ mul overwrites its operand's gradient instead of adding to it
  at engine.py:31

      a = Value(3.0)
      L = a * a
      L.backward()
      a.grad   # yours 3   PyTorch 6

  Explains 37 wrong numbers in 3 cases.
  Hint: What happens to a.grad when a is used twice?

cases          3 passed · 1 failed · 2 explained by a cause ·
               1 not offered by the engine
picture        pictures/1-mul-accumulation.svg
run            profile lecture · reference torch 2.13.0 · suite 1 ·
               isolation strict · seed 7 · 0.8 s
again          oracle check engine.py --seed 7
"""
    )


def test_a_correct_engine() -> None:
    """What was tested, what is not offered, what was not exercised, what was chosen differently."""
    assert text.render(examples.correct(), width=110) == (
        """\
✓ engine.py:Value agrees with PyTorch in 3 of 4 cases; in 1 it differs by choice.

△ policy: log(-1) raises ValueError where PyTorch returns nan (line 60)

tested         4 ops: add, sub, mul, tanh; with plain numbers on either side: add, sub, mul
levels         scalar 3/3 · edges 0/1 (1 by choice) · unary –
not offered    sigmoid
not exercised  relu
largest error  data 1 ulp (tanh), grad 2 ulp (tanh)
conventions    relu at 0: 0, as PyTorch
cases          3 passed · 1 different by choice · 1 not offered by the engine
run            profile lecture · reference torch 2.13.0 · suite 1 · isolation strict · seed 7 · 0.8 s
again          oracle check engine.py --seed 7
"""
    )


def test_an_unusable_file_is_one_sentence() -> None:
    screen = text.render(examples.unusable())
    assert screen.startswith("✗ engine.py:Value could not be tested: engine.py, line 3: SyntaxError")
    assert "cases" not in screen


@pytest.mark.parametrize(
    ("exit_code", "mark", "said"),
    [
        (3, "✗", "could not be tested"),
        (4, "✗", "did not finish"),
        (5, "△", "Nothing of engine.py:Value was checked"),
    ],
)
def test_other_endings(exit_code: int, mark: str, said: str) -> None:
    first = text.render(examples.report(exit_code=exit_code, error=None)).split("\n")[0]
    assert first.startswith(mark) and said in first


def test_exit_zero_never_says_that_a_wrong_engine_agrees() -> None:
    report = examples.report(examples.overwrite(), exit_code=0)
    assert text.render(report).startswith("△ engine.py:Value differs from PyTorch")


def test_lost_cases_are_named() -> None:
    cases = (CaseResult("graphs/deep", "graphs", "timeout", detail="no answer after 10 s"),)
    screen = text.render(examples.report(exit_code=1, cases=cases))
    assert screen.startswith("✗ engine.py:Value: 1 case ran out of time.")
    assert "graphs/deep: no answer after 10 s" in screen


def test_unexplained_numbers_are_never_silent() -> None:
    assert "2 wrong numbers stay unexplained" in text.render(examples.faulty()).split("\n")[0]
    assert "1 wrong number stays unexplained." in text.render(examples.report(exit_code=1, unexplained=1))


def test_all_explained_is_said_only_when_true() -> None:
    both = examples.report(examples.overwrite(), examples.dropped())
    assert "These 2 causes explain all 42 wrong numbers." in text.render(both)
    assert "explain all" not in text.render(dataclasses.replace(both, unexplained=1))


def test_one_screen() -> None:
    """Many causes still fit: the first few in full, the others in a line each."""
    causes = [dataclasses.replace(examples.overwrite(), line=n) for n in range(1, 9)]
    screen = text.render(examples.report(*causes), width=100)
    assert screen.count("\n") < 60
    assert all(f"engine.py:{n}" in screen for n in range(1, 9))
    assert text.render(examples.report(*causes), verbose=True).count("Repair:") == 8


def test_long_code_is_cut() -> None:
    screen = text.render(examples.report(examples.large()))
    assert re.search(r"# … \d+ lines not shown", screen)
    assert screen.count("\n") < 40
    assert "not shown" not in text.render(examples.report(examples.large()), verbose=True)


def test_both_numbers_even_when_the_engine_meets_pytorch_by_chance() -> None:
    example = dataclasses.replace(examples.overwrite().example, global_=3.0)
    screen = text.render(examples.report(dataclasses.replace(examples.overwrite(), example=example)))
    assert "# yours 3   PyTorch 6" in screen


def test_the_last_line_reads_the_number() -> None:
    """Of a large program the code is but a remark."""
    example = dataclasses.replace(examples.overwrite().example, code="# of 12,000 values")
    assert words.code(example)[0][-1] == f"{example.node}.{example.what}"


def test_as_many_digits_as_it_takes() -> None:
    assert words.pair(1.0, 1.0 + 2**-52) == ("1", "1.0000000000000002")
    assert words.pair(2.0, 3.0) == ("2", "3")
    assert words.pair(None, 0.5) == ("raises", "0.5")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "missing", "op": "pow", "form": "number-value"}, "number ** value"),
        ({"kind": "missing", "op": "sub", "form": "number - value"}, "number - value"),
        ({"kind": "missing", "op": "tanh"}, "tanh"),
        ({"kind": "derivative", "op": "mul", "operand": 1}, "mul backward, right operand"),
        ({"kind": "derivative", "op": "tanh", "operand": 0}, "tanh backward"),
        ({"kind": "forward", "op": "sub", "form": "number-value"}, "sub forward, as number-value"),
        ({"kind": "accumulation", "op": None}, "every backward rule"),
        ({"kind": "seed", "op": None}, "the seed of backward"),
    ],
)
def test_the_name_of_a_rule(fields: dict[str, object], said: str) -> None:
    assert words.rule(examples.cause(**fields)) == said


def test_colour_says_nothing_that_words_do_not() -> None:
    for report in (examples.faulty(), examples.correct()):
        painted = text.render(report, color=True)
        assert "\x1b[1;3" in painted
        assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == text.render(report, color=False)


def test_when_colour_is_wanted() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert text.wants_color(Terminal(), {})
    assert not text.wants_color(io.StringIO(), {})
    assert not text.wants_color(Terminal(), {"NO_COLOR": "1"})
    assert text.wants_color(Terminal(), {"NO_COLOR": ""})
    assert not text.wants_color(Terminal(), {"TERM": "dumb"})


@pytest.mark.parametrize("hostile", examples.HOSTILE)
@pytest.mark.parametrize("color", [False, True])
def test_hostile_text(hostile: str, color: bool) -> None:
    screen = text.render(
        examples.hostile(hostile), color=color, verbose=True, notes=[hostile], pictures=[hostile]
    )
    assert not examples.commands(re.sub(r"\x1b\[[0-9;]*m", "", screen))
    assert not re.search(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\ud800-\udfff]", screen)
    assert ("\x1b" in screen) == color
    assert "evil" not in screen
