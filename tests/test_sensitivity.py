"""The judge's published figures hold: on a sample of mutants, and on right engines by other formulas."""

from __future__ import annotations

import pytest

from tests import sensitivity
from tests.mutants import BASES, everything, sample
from tests.rewrites import REWRITES

SAMPLE = 36
"""Mutants of the sample; the whole set is `scripts/sensitivity`."""

HELD = {
    "suite: detected": 34,
    "suite: exact op and kind": 34,
    "suite: exact line": 31,
    "suite: nothing else blamed": 34,
    "suite: nothing unexplained": 34,
}
"""What the judge reaches on the sample today; it may reach more, never less."""


@pytest.fixture(scope="module")
def verdicts() -> list[sensitivity.Verdict]:
    return sensitivity.judge_all(sample(SAMPLE, "held"), with_fuzz=False)


def test_mutants_are_many_and_compile() -> None:
    made = everything()
    assert len(made) > 2000 and {m.base for m in made} == set(BASES)
    assert len({(m.base, m.source) for m in made}) == len(made)


@pytest.mark.parametrize("name", HELD)
def test_figures(name: str, verdicts: list[sensitivity.Verdict]) -> None:
    reached, of = sensitivity.figures(verdicts)[name]
    assert reached >= HELD[name], f"{reached} of {of}\n{sensitivity.render(verdicts)}"


def test_no_mutant_without_effect_is_called_wrong(verdicts: list[sensitivity.Verdict]) -> None:
    for name in ("equivalent mutants, called wrong", "differing by choice only, called wrong"):
        assert sensitivity.figures(verdicts)[name][0] == 0, sensitivity.render(verdicts)


def test_right_engines_by_other_formulas() -> None:
    said = sensitivity.each(sensitivity.alarms, REWRITES[::2])
    assert not {rewrite.name: words for rewrite, words in said.items() if words}
