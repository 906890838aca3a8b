"""Random programs over the rules that a subject has, run many at a time, and made small where they fail.

Program n of a token is the same on every machine. The shrinker is structural and ours: it offers all smaller
programs of a round to the subject in one pipelined run, where a general one (hypothesis) would ask for them
one by one, and it needs nothing installed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from secrets import token_hex

from oracle.case import Backward, Case, Observe, Rebuild, Step, Zero
from oracle.checking import check
from oracle.judge.causes import Demands
from oracle.judge.equations import Traits
from oracle.judge.probe import Outcome, Rule, ask
from oracle.judge.traits import learn
from oracle.program import Node, Num, Number, Program
from oracle.report import Report
from oracle.subjects import Subject
from oracle.suite.rules import points, wrapped
from oracle.vocabulary import ROWS, VOCABULARY, Point
from oracle.vocabulary.op import Parameters

BATCH = 250
"""Programs in one run of the subject."""

KEPT = 12
"""Failing programs that are made small; what the others show, these show too, or the next run will."""

ROUNDS = 60
"""Rounds of one program's shrinking at most; ten to twenty are usual."""

ORDINARY = (0.5, -0.5, 1.5, -1.5, 2.0, -2.0, 3.0, 0.25, -0.75, 1.0, -1.0, 0.1, -0.3, 2.7, 7.0, 0.015)
SPECIAL = (
    0.0,
    -0.0,
    1e-9,
    -1e-9,
    20.0,
    -40.0,
    400.0,
    710.0,
    1e16,
    1e-200,
    1e200,
    -1e308,
    math.inf,
    -math.inf,
)
TAME = (1e-6, 1e6)
"""Magnitudes between which the values of most programs stay, so that their gradients say something."""


@dataclass(frozen=True)
class Fuzzed:
    """What became of the random programs of one token.

    programs  how many were run
    failing   how many had a wrong number, or no answer, at operands where every engine can be expected to work
    cases     the failing ones made small, one for each way of failing; names "fuzz/TOKEN-n"
    seconds   of wall clock
    """

    token: str
    programs: int
    failing: int
    cases: tuple[Case, ...]
    seconds: float

    def sentence(self, target: str, chosen: bool = False) -> str:
        """What was done and found, and how to do it again, for a report's notes. chosen: all that differs is a choice
        of the engine's."""
        how = "differ by choice" if chosen else "fail"
        found = f"{self.failing:,} of them {how}" if self.failing else "none of them fails"
        again = f"oracle fuzz {target} --count {self.programs} --seed {self.token}"
        return f"{self.programs:,} random programs, {found} (again: {again})"


def fuzz(
    subject: Subject,
    token: str,
    count: int | None = None,
    seconds: float | None = None,
    progress: Callable[[int, int], None] = lambda programs, failing: None,
) -> Fuzzed:
    """Run random programs until `count` of them are done, or `seconds` are over, whichever comes first.

    progress  is called now and then with the number of programs so far, and of failing ones
    """
    began = time.monotonic()
    rules, traits = offered(subject), learn(subject).traits
    done = failing = 0
    kept: list[Case] = []
    known: set[Sign] = set()
    while rules and (count is None or done < count):
        if seconds is not None and time.monotonic() - began >= seconds:
            break
        size = BATCH if count is None else min(BATCH, count - done)
        batch = [case(rules, token, n) for n in range(done, done + size)]
        wrong = [(o, found) for o in ask(subject, batch, traits) if (found := signs(o))]
        done, failing = done + size, failing + len(wrong)
        progress(done, failing)
        for outcome, found in sorted(wrong, key=lambda pair: len(pair[0].case.program)):
            if len(kept) < KEPT and not found <= known:
                small = shrink(subject, outcome.case, traits, found - known)
                kept.append(small)
                known |= found
    return Fuzzed(token, done, failing, tuple(kept), time.monotonic() - began)


def check_too(
    subject: Subject,
    cases: Sequence[Case],
    demands: Demands,
    token: str = "",
    count: int | None = None,
    seconds: float | None = None,
    progress: Callable[[int, int], None] = lambda programs, failing: None,
) -> Report:
    """`check` with these cases and with whatever random programs fail, which are judged like any other case.

    token  makes the programs reproducible; without one a new one is drawn, and named in the report's notes
    """
    fuzzed = fuzz(subject, token or token_hex(3), count, seconds, progress)
    report = check(subject, [*cases, *fuzzed.cases], demands, fuzzed.token)
    chosen = all(result.outcome == "policy" for result in report.cases if result.level == "fuzz")
    return replace(report, notes=(*report.notes, fuzzed.sentence(subject.target, chosen)))


def offered(subject: Subject) -> tuple[Rule, ...]:
    """The rules that gave a node at one ordinary point at least: no program is made of others."""
    trials = [
        (
            (row.name, form),
            Case("fuzz/trial", wrapped(row, form, point, "alone").finish(), steps=(Observe(),)),
        )
        for row in ROWS
        if row.name in subject.ops
        for form in row.forms
        for point in points(row, form)[:4]
    ]
    answers = subject.run([trial for _, trial in trials])
    return tuple(dict.fromkeys(rule for (rule, _), a in zip(trials, answers, strict=True) if a.ok))


# Making programs ---------------------------------------------------------------------------------------------------


def case(rules: Sequence[Rule], token: str, n: int) -> Case:
    """Random program n of a token, over these rules, with the steps done with it."""
    random = Random(f"{token}/{n}")
    program = _program(rules, random)
    steps: tuple[Step, ...] = ()
    if random.random() < 0.125:  # the way of a training loop
        once = (Backward(program.root), Observe())
        steps = (*once, Zero(tuple(range(len(program.inputs)))), Rebuild(), *once)
    return Case(f"fuzz/{token}-{n}", program, "a random program", steps)


def _program(rules: Sequence[Rule], random: Random) -> Program:
    """One program: how many leaves and nodes, how much sharing and how wild the numbers vary with each."""
    wild = random.random() < 0.08
    reuse = random.choice((0.1, 0.4, 0.8))
    favoured = random.sample(rules, min(len(rules), random.choice((1, 3, 6, len(rules)))))
    data = [_number(random, wild) for _ in range(random.randint(1, 4))]
    leaves = len(data)
    rows: list[tuple[str, list[int | Num], Parameters]] = []
    for _ in range(min(int(random.expovariate(1 / 7)) + 1, 40)):
        for _attempt in range(10):
            op, form = random.choice(favoured)
            operands = _operands(op, form, len(data), reuse, random)
            point = tuple(float(x.x) if isinstance(x, Num) else data[x] for x in operands)
            value = _value(op, point)
            row = VOCABULARY[op]
            tame = settled((op, form), point) or row.kink(point) is not None
            if wild or (tame and (value == 0.0 or TAME[0] < abs(value) < TAME[1])):
                rows.append((op, operands, row.settings[0]))
                data.append(value)
                break
    size = len(data)
    root = size - 1 if random.random() < 0.85 else random.randrange(size)
    return Program.build(data[:leaves], rows, root)


def _operands(op: str, form: str, size: int, reuse: float, random: Random) -> list[int | Num]:
    """Operands for one node. reuse: how often a value is taken from anywhere, instead of from the last few."""
    out: list[int | Num] = []
    for kind in form.split("-"):
        if kind == "int":
            out.append(Num(random.choice((2, 3, -1, -2, 1, 5, 4, 0))))
        elif kind == "float":
            out.append(Num(random.choice(ORDINARY)))
        elif out and isinstance(out[0], int) and random.random() < 0.15:
            out.append(out[0])
        elif random.random() < reuse:
            out.append(random.randrange(size))
        else:
            out.append(max(0, size - 1 - int(random.expovariate(1.0))))
    return out


def _number(random: Random, wild: bool) -> float:
    draw = random.random()
    if wild and draw < 0.4:
        return random.choice(SPECIAL)
    if draw < 0.5:
        return random.choice(ORDINARY)
    if draw < 0.55:
        return 0.0
    return random.gauss(0.0, 2.0)


def _value(op: str, point: Point) -> float:
    """The value of an op, nan where the standard library has no answer."""
    try:
        return float(VOCABULARY[op].value(*point, **VOCABULARY[op].settings[0]))
    except (ValueError, OverflowError, ZeroDivisionError):
        return math.nan


# Judging them ------------------------------------------------------------------------------------------------------

Sign = tuple[str, Rule | None]
"""One way of failing: the equation (or what happened instead of an answer), and a rule that feeds it."""


def signs(outcome: Outcome) -> frozenset[Sign]:
    """How a program fails at ordinary operands; empty when it does not."""
    program, answer = outcome.case.program, outcome.answer

    def rule(k: int) -> Rule | None:
        node = program.producer(k)
        return None if node is None else (node.op, program.form(node))

    if answer.lost is not None:
        return frozenset({(answer.lost, None)})
    if answer.crash is not None:
        at = answer.crash.node
        asked = [k for k, _ in program.nodes()] if at is None else [at]
        if all(_ordinary(program, k) for k in asked):
            return frozenset({(answer.crash.type, None if at is None else rule(at))})
        return frozenset()
    out: set[Sign] = set()
    for checked in outcome.checked:
        for f in checked.failures:
            if f.ordinary:
                feeders = [f.value] if f.equation == 2 else [k for k, _ in f.feeders]
                out |= {(f"equation {f.equation}", rule(k)) for k in feeders} or {
                    (f"equation {f.equation}", None)
                }
    return frozenset(out)


def settled(rule: Rule, point: Point) -> bool:
    """Whether every engine can be expected to return a node here, and a slope for each operand that is a value.

    Few engines differentiate a power by its exponent at a base that is 0 or negative.
    """
    op, form = rule
    row = VOCABULARY[op]
    by_exponent = op == "pow" and form.endswith("value")
    return row.ordinary(point) and row.smooth(point, form) and not (by_exponent and point[0] <= 0.0)


def _ordinary(program: Program, value: int) -> bool:
    """Whether a value and all that lead to it are made where any engine can be expected to."""
    data = list(program.inputs)
    live = program.reaches(value)
    for k, node in program.nodes():
        point = program.operand_data(node, data)
        if live[k] and not settled((node.op, program.form(node)), point):
            return False
        data.append(_value(node.op, point))
        if k == value:
            break
    return True


# Making them small -------------------------------------------------------------------------------------------------


def shrink(subject: Subject, failing: Case, traits: Traits, wanted: frozenset[Sign]) -> Case:
    """The smallest case found, going greedily down from this one, that still fails in a wanted way."""
    best = failing
    for _ in range(ROUNDS):
        size = _size(best)
        smaller = sorted((c for c in dict.fromkeys(_smaller(best)) if _size(c) < size), key=_size)
        outcomes = ask(subject, smaller, traits)
        found = next((o.case for o in outcomes if signs(o) & wanted), None)
        if found is None:
            break
        best = found
    return best


def _size(case: Case) -> tuple[int, int, int, int]:
    """What shrinking makes smaller, in order: ops, steps, leaves, digits."""
    program = case.program
    digits = sum(len(repr(x)) for x in (*program.inputs, *program.numbers))
    return len(program.ops), len(case.steps), len(program.inputs), digits


Entry = float | tuple[str, tuple[int | Num, ...]]
"""A value of a program under the knife: a leaf's number, or an op with its operands."""


def _smaller(case: Case) -> Iterator[Case]:
    """Cases one cut away: fewer steps, a root further down, a node less, plainer numbers."""
    program = case.program
    entries: list[Entry] = [*program.inputs, *(_entry(program, node) for _, node in program.nodes())]
    if len(case.steps) > 2:
        yield Case(case.name, program, case.reason)
    for cut, root in _cuts(entries, program.root):
        small = _pruned(cut, root)
        if len(case.steps) > 2:
            steps = (Backward(small.root), Observe())
            again = (*steps, Zero(tuple(range(len(small.inputs)))), Rebuild(), *steps)
            yield replace(case, program=small, steps=again)
        else:
            yield Case(case.name, small, case.reason)


def _entry(program: Program, node: Node) -> Entry:
    return node.op, tuple(i if i >= 0 else Num(program.numbers[~i]) for i in node.operands)


def _cuts(entries: list[Entry], root: int) -> Iterator[tuple[list[Entry], int]]:
    for k, entry in enumerate(entries):
        if isinstance(entry, float):
            for plain in _plainer(entry):
                yield [*entries[:k], float(plain), *entries[k + 1 :]], root
            continue
        op, operands = entry
        yield entries, k
        data = _data(entries)
        yield [*entries[:k], data[k], *entries[k + 1 :]], root
        for operand in operands:
            if not isinstance(operand, Num):
                yield _redirected(entries, k, operand), operand if root == k else root
        for slot, operand in enumerate(operands):
            if isinstance(operand, Num):
                for plain in _plainer(operand.x):
                    changed = (*operands[:slot], Num(plain), *operands[slot + 1 :])
                    yield [*entries[:k], (op, changed), *entries[k + 1 :]], root
            else:
                yield from _leafed(entries, k, slot, data[operand], root)


def _leafed(
    entries: list[Entry], k: int, slot: int, x: float, root: int
) -> Iterator[tuple[list[Entry], int]]:
    """One operand of one node replaced by a leaf of its own with the same number."""
    entry = entries[k]
    assert not isinstance(entry, float)
    op, operands = entry
    up = [
        e if isinstance(e, float) else (e[0], tuple(i if isinstance(i, Num) else i + 1 for i in e[1]))
        for e in entries
    ]
    moved = tuple(i if isinstance(i, Num) else i + 1 for i in operands)
    up[k] = (op, (*moved[:slot], 0, *moved[slot + 1 :]))
    yield [x, *up], root + 1


def _redirected(entries: list[Entry], k: int, to: int) -> list[Entry]:
    """Every use of value k uses another value instead."""
    return [
        e if isinstance(e, float) else (e[0], tuple(to if not isinstance(i, Num) and i == k else i for i in e[1]))
        for e in entries
    ]  # fmt: skip


def _plainer(x: Number) -> Iterable[Number]:
    """Numbers with fewer digits than x, near it first."""
    if isinstance(x, int):
        return [n for n in (2, 3) if n != x and x not in (2, 3)]
    if not math.isfinite(x):
        return []
    rounded = [float(f"{x:.{digits}g}") for digits in (1, 2, 3)]
    return [y for y in dict.fromkeys((*rounded, 2.0, 0.5)) if len(repr(y)) < len(repr(x))]


def _data(entries: list[Entry]) -> list[float]:
    data: list[float] = []
    for entry in entries:
        if isinstance(entry, float):
            data.append(entry)
        else:
            data.append(
                _value(entry[0], tuple(float(i.x) if isinstance(i, Num) else data[i] for i in entry[1]))
            )
    return data


def _pruned(entries: list[Entry], root: int) -> Program:
    """The program of what leads to the root, leaves first."""
    live = {root}
    for k in range(root, -1, -1):
        entry = entries[k]
        if k in live and not isinstance(entry, float):
            live |= {i for i in entry[1] if not isinstance(i, Num)}
    leaves = [k for k in sorted(live) if isinstance(entries[k], float)]
    nodes = [k for k in sorted(live) if not isinstance(entries[k], float)]
    index = {k: n for n, k in enumerate((*leaves, *nodes))}
    inputs, rows = [], []
    for k in (*leaves, *nodes):
        entry = entries[k]
        if isinstance(entry, float):
            inputs.append(entry)
        else:
            operands = [i if isinstance(i, Num) else index[i] for i in entry[1]]
            rows.append((entry[0], operands, VOCABULARY[entry[0]].settings[0]))
    return Program.build(inputs, rows, index[root])
