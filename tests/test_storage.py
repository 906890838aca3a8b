"""How numbers are kept is recognised by a few of them."""

from __future__ import annotations

import pytest

from oracle.judge.storage import OTHER, TELLING, WAYS, Storage, example, recognise


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.words)
def test_each_way_is_told_from_the_others(way: Storage) -> None:
    assert way.keep is not None
    kept = [way.keep(x) for x in TELLING]
    assert recognise(kept, TELLING) is way
    assert " becomes " in example(way, kept, TELLING)


def test_numbers_that_are_kept_as_they_are() -> None:
    assert recognise(TELLING, TELLING) is None


def test_numbers_that_are_something_else() -> None:
    found = recognise([2 * x for x in TELLING], TELLING)
    assert found is OTHER and not found.precision


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.words)
def test_what_was_kept_once_stays(way: Storage) -> None:
    assert way.keep is not None
    for x in (*TELLING, 1e300, -1e300, float("inf"), 0.0):
        assert way.keep(way.keep(x)) == way.keep(x)
