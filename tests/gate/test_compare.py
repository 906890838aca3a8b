"""What counts as a change, and which changes fail: one rule a test, on reports made by hand."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from oracle.baseline import Baseline
from oracle.compare import between, compare, judged
from oracle.report import Change, OpResult, Report, SubjectInfo
from oracle.reports.changes import render, render_between, sentence
from tests.gate.reports import cause, report

TODAY = date(2026, 6, 1)
OPS = {"mul": OpResult(True, True, 0.0, 0.0), "exp": OpResult(True, True, 1.0, 2.0), "log": OpResult(False)}


def changes(new: Report, old: Report) -> tuple[Change, ...]:
    return compare(new, Baseline.of(old), TODAY)


def gated(new: Report, old: Baseline) -> Report:
    return judged(new, old, "oracle.json", compare(new, old, TODAY))


def screen(new: Report, old: Baseline) -> str:
    comparison = gated(new, old).baseline
    assert comparison is not None
    return render(comparison)


def failing(found: tuple[Change, ...]) -> list[str]:
    return [sentence(change) for change in found if change.fails]


def only(found: tuple[Change, ...], fails: bool) -> str:
    (change,) = found
    assert change.fails is fails
    return change.text


def test_nothing_changed() -> None:
    assert changes(report(cause()), report(cause())) == ()


def test_a_moved_line_and_another_wording_are_no_change() -> None:
    moved = cause(line=77, file="other.py", message="in other words", wrong_numbers=9, hints=("a", "b", "c"))
    assert changes(report(moved), report(cause())) == ()


def test_a_new_cause_fails_and_says_where() -> None:
    text = only(changes(report(cause()), report()), True)
    assert text == "new: mul pushes the negative of the gradient (engine.py:31)."


def test_a_place_is_spelled_as_the_target_was() -> None:
    new = report(
        cause(file="/home/me/lab/engine.py"),
        subject=SubjectInfo("engine.py:Value", "lab/engine.py", "python", "", "/home/me/lab/engine.py"),
    )
    assert "(lab/engine.py:31)" in failing(changes(new, report()))[0]


@pytest.mark.parametrize(
    "other",
    [{"kind": "forward"}, {"op": "exp"}, {"operand": 1}, {"form": "value-int"}, {"mistake": "dropped"}],
    ids=lambda fields: next(iter(fields)),
)
def test_every_part_of_the_fingerprint_tells_causes_apart(other: dict[str, object]) -> None:
    old, new = (cause(severity="imprecise"), cause(severity="imprecise", **other))
    assert [text.split(":")[0] for text in failing(changes(report(new), report(old)))] == ["new", "fixed"]


def test_a_cause_that_is_gone_fails_until_the_baseline_says_so() -> None:
    texts = failing(changes(report(), report(cause())))
    assert len(texts) == 1 and texts[0].startswith("fixed: mul pushes") and "--update-baseline" in texts[0]


def test_what_a_wrong_rule_hides_is_not_told_as_news() -> None:
    policy = cause(kind="lifecycle", op=None, severity="policy", message="the engine differs", cases=())
    ops = {**OPS, "exp": OpResult(True, False), "mul": OpResult(True, True, 0.0, 9.0)}
    found = changes(report(cause(), ops=ops), report(policy))
    assert failing(found) == ["new: mul pushes the negative of the gradient (engine.py:31)."]
    assert found[1].text.startswith("3 more differences may follow from that")
    alone = failing(
        changes(report(ops=ops), report(policy, cases={"forward/mul": "pass", "graph/square": "pass"}))
    )
    assert len(alone) == 3


def test_what_a_repair_brings_to_light_is_said_to_be_that() -> None:
    policy = cause(kind="lifecycle", op=None, severity="policy", message="the engine differs")
    new, fixed = failing(changes(report(policy), report(cause())))
    assert (
        new == "new: the engine differs (engine.py:31). A wrong rule may have hidden it, which is fixed now."
    )
    assert fixed.startswith("fixed: mul")
    assert "hidden" not in failing(changes(report(policy), report()))[0]


def test_a_cause_that_got_more_severe_fails() -> None:
    texts = failing(changes(report(cause()), report(cause(severity="imprecise"))))
    assert texts[0].startswith("worse, imprecise became wrong")


@pytest.mark.parametrize(("day", "fails"), [(date(2026, 6, 1), False), (date(2026, 5, 31), True)])
def test_an_acceptance_ends_after_its_day(day: date, fails: bool) -> None:
    old = Baseline.of(report(cause()))
    rows = {key: dataclasses.replace(row, expires=day) for key, row in old.accepted.items()}
    found = compare(report(cause()), dataclasses.replace(old, accepted=rows), TODAY)
    assert bool(failing(found)) is fails
    if fails:
        assert "accepted until 2026-05-31, which is over" in failing(found)[0]


def test_new_cases_of_a_newer_suite_are_announced_and_break_nothing() -> None:
    new = report(
        cause(cases=("nn/new",)),
        cases={"forward/mul": "pass", "graph/square": "pass", "nn/new": "fail"},
        suite="2",
        unexplained=3,
    )
    found = changes(new, report())
    assert failing(found) == []
    assert any("1 new case of suite 2, 1 of them not passed" in change.text for change in found)
    assert gated(new, Baseline.of(report())).exit_code == 0


def test_a_cause_that_an_old_case_shows_fails_with_a_newer_suite_too() -> None:
    new = report(
        cause(cases=("nn/new", "graph/square")),
        cases={"forward/mul": "pass", "graph/square": "fail", "nn/new": "fail"},
        suite="2",
    )
    assert failing(changes(new, report()))


def test_with_the_same_suite_another_case_is_no_excuse() -> None:
    new = report(
        cause(cases=("nn/new",)), cases={"forward/mul": "pass", "graph/square": "pass", "nn/new": "fail"}
    )
    assert failing(changes(new, report()))


def test_a_case_that_got_worse_without_a_new_cause_fails() -> None:
    new = report(cases={"forward/mul": "timeout", "graph/square": "pass"})
    assert "1 case got worse: forward/mul (pass → timeout)." in failing(changes(new, report()))


def test_an_accepted_cause_that_reaches_further_fails() -> None:
    wider = cause(cases=("graph/square", "forward/mul"))
    new = report(wider, cases={"forward/mul": "fail", "graph/square": "fail"})
    assert "forward/mul (pass → fail)" in failing(changes(new, report(cause())))[0]


def test_cases_of_a_new_cause_are_not_told_twice() -> None:
    assert len(failing(changes(report(cause()), report()))) == 1


def test_a_selection_of_cases_is_no_pass() -> None:
    text = failing(changes(report(cases={"forward/mul": "pass"}), report()))[0]
    assert "1 case did not run, but did before: graph/square" in text and "--level" in text


@pytest.mark.parametrize(
    ("now", "fails", "says"),
    [
        (OpResult(True, True, 1.0, 2.0), None, ""),
        (OpResult(True, True, 0.0, 0.0), None, ""),
        (OpResult(True, True, 2.0, 2.0), False, "value grew from 1 to 2 ulp"),
        (OpResult(True, True, 3.0, 2.0), True, "value grew from 1 to 3 ulp"),
        (OpResult(True, True, 1.0, 40.0), True, "gradient grew from 2 to 40 ulp"),
        (OpResult(True, False), True, "no longer exercised"),
        (OpResult(False), True, "exp is no longer offered"),
    ],
)
def test_numeric_drift(now: OpResult, fails: bool | None, says: str) -> None:
    found = changes(report(ops={**OPS, "exp": now}), report())
    if fails is None:
        assert found == ()
    else:
        assert says in only(found, fails)


def test_an_op_that_is_offered_now_has_to_be_held() -> None:
    text = only(changes(report(ops={**OPS, "log": OpResult(True, True)}), report()), True)
    assert text.startswith("log is offered now")


def test_unexplained_numbers() -> None:
    assert "7 wrong numbers without an explanation, 0 before" in only(
        changes(report(unexplained=7), report()), True
    )
    only(changes(report(unexplained=2), report(unexplained=7)), False)


@pytest.mark.parametrize(("ratio", "fails"), [(2.9, False), (3.1, True)])
def test_speed_is_gated_as_a_ratio_with_a_tolerance(ratio: float, fails: bool) -> None:
    old = Baseline.of(report(), {"fan forward": 2.0})
    assert bool(failing(compare(report(), old, TODAY, {"fan forward": ratio}))) is fails


def test_a_program_without_a_time_fails_and_a_run_without_benchmark_does_not() -> None:
    old = Baseline.of(report(), {"fan forward": 2.0, "fan backward": 1.0})
    assert failing(compare(report(), old, TODAY, {"fan forward": 2.0}))
    assert compare(report(), old, TODAY) == ()


def test_the_gate_demands_what_fails_and_nothing_else() -> None:
    new = cause(op="exp", severity="policy", demanded=False, message="exp differs")
    both = report(cause(), new)
    found = gated(both, Baseline.of(report(cause())))
    assert [c.demanded for c in found.causes] == [False, True]
    assert found.exit_code == 1 and not found.ok
    assert found.baseline is not None
    (change,) = found.baseline.changes
    assert (change.trend, change.fails, change.cause) == ("worse", True, 1) and "exp differs" in change.text
    assert found.baseline.accepted == ("mul pushes the negative of the gradient",)
    same = gated(report(cause()), Baseline.of(report(cause())))
    assert same.ok and not same.causes[0].demanded


@pytest.mark.parametrize("code", [3, 4, 5])
def test_a_report_that_judged_nothing_keeps_its_exit_code(code: int) -> None:
    found = judged(report(exit_code=code), Baseline.of(report()), "b", [Change("worse", True, "x")])
    assert found == report(exit_code=code)


def test_two_reports_in_words() -> None:
    old, new = report(cause(severity="policy")), report(cause(severity="policy", operand=1))
    text = render_between("monday.json", "friday.json", between(old, new))
    assert text.splitlines() == [
        "✗ monday.json → friday.json: 1 thing got worse and 1 thing got better.",
        "  ✗ new: mul pushes the negative of the gradient (engine.py:31).",
        "  ✓ fixed: mul pushes the negative of the gradient.",
    ]
    assert between(report(cause()), report(cause())) == ()
    assert render_between("a", "b", ()) == "✓ a → b: no difference.\n"


@pytest.mark.parametrize(
    "new",
    [
        report(),
        report(cause(kind="seed"), suite="2", reference="3.0", unexplained=9),
        report(
            cases={"forward/mul": "timeout"}, ops={**OPS, "exp": OpResult(False), "log": OpResult(True, True)}
        ),
        report(cases={"forward/mul": "pass", "graph/square": "pass", "nn/new": "fail"}, suite="2"),
    ],
    ids=["repaired", "another", "changed", "new cases"],
)
def test_between_two_reports_there_is_no_talk_of_a_baseline(new: Report) -> None:
    text = render_between("old", "new", between(report(cause()), new))
    assert "baseline" not in text and "gate" not in text


def test_the_screen_lists_what_is_accepted_with_its_reason() -> None:
    old = Baseline.of(report(cause()))
    (row,) = old.accepted.values()
    row = dataclasses.replace(row, reason="see issue 12", expires=date(2027, 1, 31))
    old = dataclasses.replace(old, accepted={row.fingerprint: row})
    assert screen(report(cause()), old).splitlines() == [
        "✓ Against oracle.json: no change; 1 cause is accepted.",
        "  accepted: mul pushes the negative of the gradient until 2027-01-31: see issue 12",
    ]
    assert screen(report(), old).startswith("✗ Against oracle.json: 1 change that the gate does not accept.")


def test_a_subjects_words_are_no_command_to_ci() -> None:
    hostile = cause(message="x\n::error::owned")
    new = report(hostile)
    old = Baseline.of(report())
    for text in (screen(new, old), render_between("::error::", "b", between(report(), new))):
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())
