"""Where a network's mistake is: the line of a method of one of its classes, or where that method begins."""

from __future__ import annotations

import re
from collections.abc import Sequence

from oracle.judge.network.asked import Asked
from oracle.subjects import Subject
from oracle.subjects.lines import line_at
from oracle.subjects.network import Role

Where = tuple[str, int]

Look = tuple[Role, str, str]
"""Whose method ("init", "call", "parameters", "zero_grad"), and a pattern for the line in it; "" for its first."""

AROUND: tuple[Role, ...] = ("neuron", "layer", "network")
"""A part that has no class, or no such method, is a part of the next one's."""

LONGEST = 200
"""Lines of a method that are looked through."""


def find(subject: Subject, a: Asked, looks: Sequence[Look]) -> Where | None:
    """The first line that one of the patterns is found in; where there is none, the first method's beginning."""
    begins = [_method(a, role, method) for role, method, _ in looks]
    for (_, _, pattern), begin in zip(looks, begins, strict=True):
        if begin is None or subject.file is None:
            continue
        file, first = begin
        for number in _lines(subject.file, file, first):
            text = line_at(subject.file, file, number).partition("#")[0]
            if pattern and re.search(pattern, text):
                return file, number
    return next((begin for begin in begins if begin is not None), None)


def _lines(home: str, file: str, first: int) -> Sequence[int]:
    """The numbers of a method's lines after its first, by their indentation; a first line may be a decorator."""
    margin = _indent(line_at(home, file, first))
    entered = False
    for number in range(first + 1, first + LONGEST):
        text = line_at(home, file, number)
        deeper = _indent(text) > margin
        if entered and text.strip() and not deeper and not text.strip().startswith("#"):
            return range(first + 1, number)
        entered = entered or deeper
    return range(first + 1, first + LONGEST)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _method(a: Asked, role: Role, method: str) -> Where | None:
    for candidate in AROUND[AROUND.index(role) :]:
        part = a.answer.parts.get(candidate)
        if part is not None and method in part.methods:
            return part.methods[method]
    return None
