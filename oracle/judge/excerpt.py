"""The part of a large program around a wrong number: small enough to be read, with the numbers of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oracle.case import Case
from oracle.judge.equations import Failure
from oracle.program import Num, Program

LARGE = 2_000
"""Programs with more values than this are shown in part."""

SHOWN = 40
"""Values of that part at most."""

FEEDERS = 8
"""Consumers of a value that are shown at most."""


@dataclass(frozen=True)
class Excerpt:
    """Values of a program as a program: those whose operands are not all among them are its inputs.

    values  which value of the whole each of them is
    """

    program: Program
    values: tuple[int, ...]


def excerpt(failure: Failure) -> Excerpt:
    """What to show of a failing run: all of it, or the wrong value, its consumers, and what these are made of."""
    run = failure.run
    whole = run.program
    if len(whole) <= LARGE:
        return Excerpt(whole, tuple(range(len(whole))))
    chosen = dict.fromkeys([failure.value, *_feeders(failure)])
    todo = [*chosen]
    for k in todo:
        node = whole.producer(k)
        operands = [] if node is None else [i for i in node.operands if i >= 0]
        if len(chosen) + len(set(operands) - chosen.keys()) > SHOWN:
            break
        todo += [i for i in dict.fromkeys(operands) if i not in chosen]
        chosen |= dict.fromkeys(operands)
    return _program(whole, sorted(chosen), run.made)


def _feeders(failure: Failure) -> list[int]:
    return [*dict.fromkeys(k for k, _ in failure.feeders)][:FEEDERS]


def _program(whole: Program, chosen: list[int], data: Sequence[float]) -> Excerpt:
    there = set(chosen)
    nodes = [
        k for k in chosen if (node := whole.producer(k)) and all(i < 0 or i in there for i in node.operands)
    ]
    leaves = [i for i in chosen if i not in set(nodes)]
    order = (*leaves, *nodes)
    index = {value: n for n, value in enumerate(order)}
    rows = []
    for k in nodes:
        node = whole.producer(k)
        assert node is not None
        operands = [index[i] if i >= 0 else Num(whole.numbers[~i]) for i in node.operands]
        rows.append((node.op, operands, node.parameters))
    labels = {n: whole.name(value) for n, value in enumerate(order)}
    return Excerpt(Program.build([data[i] for i in leaves], rows, index[chosen[-1]], labels), order)


def alone(failure: Failure) -> tuple[Case, tuple[int, str]]:
    """The ops at a wrong number by themselves, at the very numbers of the run, and which value of that is wrong.

    For a gradient: each consumer on leaves, times the gradient that it had, all added up. For a value: its op.
    """
    run = failure.run
    whole = run.program
    consumers = [failure.value] if failure.equation == 2 else _feeders(failure)
    operands = [i for k in consumers if (node := whole.producer(k)) for i in node.operands if i >= 0]
    leaves = [*dict.fromkeys([*([] if failure.equation == 2 else [failure.value]), *operands])]
    index = {value: n for n, value in enumerate(leaves)}
    rows: list[tuple[str, list[int | Num], Mapping[str, float]]] = []
    labels = {n: whole.name(i) for n, i in enumerate(leaves)}
    size = len(leaves)
    terms = []
    for k in consumers:
        node = whole.producer(k)
        assert node is not None
        rows.append(
            (
                node.op,
                [index[i] if i >= 0 else Num(whole.numbers[~i]) for i in node.operands],
                node.parameters,
            )
        )
        here = size + len(rows) - 1
        labels[here] = whole.name(k) + ("_" if k in index else "")
        g = run.grad[k]
        if failure.equation == 4 and g is not None and not (len(consumers) == 1 and g == 1.0):
            rows.append(("mul", [here, Num(g)], {}))
            here += 1
        terms.append(here)
    total = terms[0]
    for term in terms[1:]:
        rows.append(("add", [total, term], {}))
        total = size + len(rows) - 1
    program = Program.build([run.made[i] for i in leaves], rows, total, labels)
    value = total if failure.equation == 2 else index[failure.value]
    return Case(run.case.name, program), (value, failure.what)
