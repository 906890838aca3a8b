"""Text from subjects is harmless after cleaning, and only then."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oracle.reports.clean import SHOWN, clean, inert, no_command, one_line

from . import examples


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("nul\x00bell\x07del\x7fnel\x85", "nulbelldelnel"),
        ("\ud800lone", "lone"),
        ("\u202egpj.exe", "gpj.exe"),
        ("\ufffe\uffff\U0001fffe\u2028\ufeff", ""),
        ("−³ ✓ 日本 😀", "−³ ✓ 日本 😀"),
    ],
)
def test_what_is_removed(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


@given(st.text(st.characters(), max_size=300))
@example("\x1b[\x1b[31m31m")
@example("\x1b")
def test_cleaning_is_done_once(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    cleaned.encode("utf-8")
    assert not any(ord(c) < 32 and c not in "\t\n" for c in cleaned)


def test_long_text_is_cut_and_says_so() -> None:
    cut = clean("x" * (SHOWN + 500))
    assert len(cut) == SHOWN
    assert cut.endswith("… (500 characters more)")
    assert clean(cut) == cut


def test_code_is_kept_longer_than_other_text() -> None:
    report = examples.poison(examples.report(examples.overwrite()), "y" * 5000)
    clean_report = inert(report)
    example = clean_report.causes[0].example
    assert example is not None and len(example.code) > 5000
    assert len(clean_report.causes[0].message) == SHOWN


def test_one_line() -> None:
    assert one_line(" a\n\n b\tc ") == "a b c"
    assert one_line("abcdef", 4) == "abc…"


@pytest.mark.parametrize(
    "line", ["::error::x", "  ::error::x", "a\n\t::stop-commands::t", "x ##[group]", "##vso[x]y"]
)
def test_no_line_commands_a_runner(line: str) -> None:
    assert examples.commands(line)
    assert not examples.commands(no_command(line))


@pytest.mark.parametrize(
    ("target", "found", "file", "shown"),
    [
        ("engine.py:Value", "/home/me/work/engine.py", "/home/me/work/engine.py", "engine.py"),
        ("./src/engine.py", "/home/me/src/engine.py", "/home/me/src/engine.py", "src/engine.py"),
        ("engine.py", "/home/me/engine.py", "/home/me/nn.py", "nn.py"),
        ("engine.py", "/home/me/engine.py", "/usr/lib/python3/enum.py", "/usr/lib/python3/enum.py"),
        ("/home/me/engine.py", "/home/me/engine.py", "/home/me/engine.py", "/home/me/engine.py"),
        ("engine.py", None, "/home/me/engine.py", "/home/me/engine.py"),
        ("engine.py", "/home/me/my_engine.py", "/home/me/my_engine.py", "/home/me/my_engine.py"),
        ("package.module:Class", "/home/me/package/module.py", None, None),
    ],
)
def test_files_are_spelled_as_they_were_typed(
    target: str, found: str | None, file: str | None, shown: str | None
) -> None:
    report = examples.report(dataclasses.replace(examples.overwrite(), file=file))
    subject = dataclasses.replace(report.subject, target=target, file=found)
    once = inert(dataclasses.replace(report, subject=subject))
    assert once.causes[0].file == shown
    assert inert(once) == once
