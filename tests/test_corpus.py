"""Verdicts are sacred: every engine of the corpus is judged, and judged rightly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests import corpus, table

EXACT_LINES = 120
"""Marked lines that the judge hits today; it may hit more, never fewer."""


@pytest.fixture(scope="session")
def verdicts(request: pytest.FixtureRequest) -> dict[str, table.Verdict]:
    found = table.judge_all([*corpus.FAULTY, *corpus.CORRECT])
    request.config.stash[table.PRINTED] = table.render(found)
    return {v.row.file: v for v in found}


def test_every_engine_has_a_row() -> None:
    assert not corpus.unlisted()


@pytest.mark.parametrize("row", corpus.FAULTY, ids=lambda row: row.file)
def test_faulty_engine(row: corpus.Faulty, verdicts: dict[str, table.Verdict]) -> None:
    verdict = verdicts[row.file]
    assert verdict.detected, "nothing wrong was found"
    assert verdict.exact, f"blamed {verdict.extra} instead of {row.kind} {row.op} {row.form or ''}"
    assert not verdict.unexplained
    if row.severity == "wrong":
        assert verdict.exit_code == 1


@pytest.mark.parametrize("row", corpus.CORRECT, ids=lambda row: row.file)
def test_correct_engine(row: corpus.Correct, verdicts: dict[str, table.Verdict]) -> None:
    verdict = verdicts[row.file]
    assert not verdict.detected, f"false alarm: {verdict.extra}"
    assert not verdict.unexplained


def test_lines(verdicts: dict[str, table.Verdict]) -> None:
    assert sum(bool(v.line) for v in verdicts.values()) >= EXACT_LINES


def test_nothing_else_is_blamed(verdicts: dict[str, table.Verdict]) -> None:
    extra = {name: v.extra for name, v in verdicts.items() if v.extra}
    assert set(extra) <= {"exponential_order.py"}, extra


@pytest.mark.parametrize(
    "file", ["mul_overwrites.py", "preorder.py", "breadth_first.py", "parents_set_with_slopes.py"]
)
def test_two_runs_give_one_report(file: str) -> None:
    """Also where an engine's numbers depend on the order of a set."""
    (row,) = (row for row in corpus.FAULTY if row.file == file)
    first, second = (table.report(row) for _ in range(2))
    assert replace(first, seconds=0.0) == replace(second, seconds=0.0)
    assert first.causes
