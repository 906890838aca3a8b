"""The example of a cause: the smallest case that shows it, its values (a large one's in part), and lines to paste."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from oracle import torch_reference
from oracle.case import Case, Observation, Observe
from oracle.floats import U
from oracle.judge.equations import Checked, Failure, Run, close, runs
from oracle.judge.excerpt import LARGE, SHOWN, alone, excerpt
from oracle.judge.fault import Fault
from oracle.judge.symptoms import OUTSIDERS
from oracle.judge.yardstick import yardstick
from oracle.listing import code, expression
from oracle.program import Program
from oracle.report import Example, Push, Row, Verdict
from oracle.subjects import Subject
from oracle.suite import golden

SEEN = 1e-3
"""Where there is a choice, the example is off by more than this, relatively: both numbers then show it."""


@cache
def reference(case: Case) -> tuple[Observation, ...]:
    """PyTorch's observations of a case: kept ones for the suite's, live ones else."""
    return golden.expected(case) or torch_reference.run(case)


def pick(fault: Fault) -> tuple[Case, Failure] | None:
    """The piece of evidence with the smallest program: plain cases before those with steps."""
    shown = [(case, f) for case, f in fault.evidence if f is not None]
    if not shown:
        return None
    return min(
        shown,
        key=lambda e: (
            not e[1].ordinary,
            not _direct(fault, e[1]),
            len(e[0].steps) > 2,
            fault.kind == "derivative" and len(e[1].feeders) > 1,
            abs(e[1].expected) < 1e-6,
            abs(e[1].observed - e[1].expected) < SEEN * abs(e[1].expected),
            e[0].level in ("edge", "numerics"),
            len(e[0].program),
            e[0].name,
            -e[1].value,
        ),
    )


def _direct(fault: Fault, failure: Failure) -> bool:
    """Whether the failing number is fed by the blamed rule itself, not by an op that is made of it."""
    program = failure.run.program
    if failure.equation == 3 and fault.op is not None:
        root = program.producer(failure.value)
        return root is not None and root.op == fault.op
    edges = [(failure.value, None)] if failure.equation == 2 else failure.feeders
    for k, slot in edges:
        node = program.producer(k)
        blamed = node is not None and (node.op, program.form(node)) in fault.rules
        if blamed and (slot == fault.slot or None in (slot, fault.slot)):
            return True
    return False


def example(
    fault: Fault,
    checked: Checked,
    failure: Failure,
    found: Mapping[str, str],
    unit: float = U,
    observations: Sequence[Observation] = (),
) -> Example:
    """Draw up the example of a fault from the run in which `failure` occurred.

    A number whose own rule holds is shown as inherited when it is further from PyTorch's than two right engines
    can be from each other; `unit` is the subject's unit of rounding. `observations`: PyTorch's of the case, where
    they are known already.
    """
    run = checked.run
    program = run.program
    part = excerpt(failure)
    observations = observations or reference(run.case)
    world = list(runs(run.case, observations))[run.number]
    failed = {(f.value, f.what): f for f in checked.failures}
    bad_rules, involved = set(fault.rules), _involved(fault, checked)
    far = _far(program, world.data, world.grad, run.root, unit, part.values)
    rows = []
    for n, i in enumerate(part.values):
        node = program.producer(i)
        blamed = node is not None and (node.op, program.form(node)) in bad_rules
        rows.append(
            Row(
                n,
                program.name(i),
                "" if node is None else expression(program, node),
                run.made[i],
                run.grad[i],
                checked.data[i],
                checked.grad[i],
                world.data[i],
                world.grad[i],
                _verdict(failed.get((i, "data")), run.made[i], world.data[i], far[i][0]),
                _grad_verdict(
                    failed.get((i, "grad")), run.grad[i], world.grad[i], far[i][1], i in checked.conventions
                ),
                blamed and i in involved,
            )
        )
    row = rows[part.values.index(failure.value)]
    what = failure.what
    return Example(
        run.case.name,
        part.program,
        row.node,
        what,
        *_in_all(failure, world),
        _code(fault, failure, found),
        tuple(rows),
        _pushes(fault, checked, {value: n for n, value in enumerate(part.values)}),
    )


def again(fault: Fault, subject: Subject) -> Example | None:
    """The example of a fault whose cases end without a number to show: the smallest is run once more.

    `yours` is None where the engine raises. None where the case is too large to read, or agrees when it is alone.
    """
    case = min(
        (c for c, _ in fault.evidence),
        key=lambda c: (
            len(c.steps),
            fault.op is not None and fault.op not in c.program.ops,
            len(c.program),
            c.name,
        ),
        default=None,
    )
    if case is None or len(case.program) > SHOWN:
        return None
    (answer,) = subject.run([case])
    program, theirs = case.program, reference(case)[-1]
    if answer.ok:
        mine = answer.observations[-1]
        columns: list[tuple[str, Sequence[float | None], Sequence[float | None]]] = [
            ("data", mine.data, theirs.data),
            ("grad", mine.grad, theirs.grad),
        ]
        for what, column, right in columns:
            for i, (x, y) in enumerate(zip(column, right, strict=True)):
                if x is not None and y is not None and not close(x, y, NEAR * abs(y)):
                    return _plain(case, i, what, x, y, subject.found)
        return None
    if answer.crash is None:
        return None
    if answer.crash.during == "forward":
        return _plain(case, program.root, "data", None, theirs.data[program.root], subject.found)
    return next(
        (_plain(case, i, "grad", None, g, subject.found) for i, g in enumerate(theirs.grad) if g is not None),
        None,
    )


def _plain(
    case: Case, i: int, what: str, mine: float | None, right: float | None, found: Mapping[str, str]
) -> Example:
    program = case.program
    return Example(
        case.name, program, program.name(i), what, mine, right, right, code(case, found, (i, what))
    )


def _code(fault: Fault, failure: Failure, found: Mapping[str, str]) -> str:
    """Lines that show a wrong number: the whole case, or of a large one the ops at that number alone."""
    size = len(failure.run.program)
    case = _until(failure.run.case, failure.run.number)
    if size <= LARGE:
        return code(
            case,
            found,
            (failure.value, failure.what),
            whole=fault.kind == "lifecycle" or fault.detail == OUTSIDERS,
        )
    said = f"# of {size:,} values: what makes or uses {failure.run.program.name(failure.value)}, alone"
    if failure.equation in (1, 3):
        return said
    small, shown = alone(failure)
    return f"{said}\n{code(small, found, shown)}"


def _until(case: Case, number: int) -> Case:
    """The case up to its Observe of this number, from 0."""
    ends = [n for n, step in enumerate(case.steps) if isinstance(step, Observe)]
    return replace(case, steps=case.steps[: ends[number] + 1])


NEAR = 1e-9
"""Of a large program no error bound is computed: there a number further than this from PyTorch's is inherited."""


def _far(
    program: Program,
    data: Sequence[float],
    grad: Sequence[float | None],
    root: int | None,
    unit: float,
    shown: Sequence[int],
) -> dict[int, tuple[float, float]]:
    """How far data and gradient of the values that are shown may be from PyTorch's."""
    if len(program) > LARGE:
        return {i: (NEAR * abs(data[i]), NEAR * abs(grad[i] or 0.0)) for i in shown}
    far = yardstick(program, data, grad, root, unit)
    return {i: (far.data[i], far.grad[i]) for i in shown}


def _in_all(failure: Failure, world: Run) -> tuple[float | None, float | None, float | None]:
    """What the value holds at the end of the run, what it should, and what PyTorch's does: a gradient with what
    was there before."""
    i, mine = failure.value, failure.run.before
    if failure.what == "data":
        return failure.observed, failure.expected, world.data[i]
    b = mine[i] if mine else 0.0
    g = world.grad[i]
    return failure.observed + b, failure.expected + b, None if g is None else g + world.before[i]


def _verdict(failure: Failure | None, observed: float, world: float, far: float) -> Verdict:
    if failure is not None:
        return "imprecise" if failure.imprecise else "wrong"
    return "match" if close(observed, world, far) else "inherited"


def _grad_verdict(
    failure: Failure | None, observed: float | None, world: float | None, far: float, conventional: bool
) -> Verdict:
    if observed is None:
        return "unobserved"
    verdict = _verdict(failure, observed, world or 0.0, far)
    return "convention" if conventional and verdict != "wrong" else verdict


def _involved(fault: Fault, checked: Checked) -> set[int]:
    """Values where a blamed rule shows: the value is wrong, or what it pushed."""
    return {f.value for f in checked.failures if f.equation == 2} | {
        k for f in checked.failures if f.equation == 4 for k, slot in f.feeders if fault.slot in (None, slot)
    }


def _pushes(fault: Fault, checked: Checked, shown: Mapping[int, int]) -> tuple[Push, ...]:
    """Along which edges a wrong gradient went: the share that is missing or wrong, on the blamed edge.

    shown  the values that are shown, and their places in what is shown
    """
    out = []
    rules = set(fault.rules)
    for f in checked.failures:
        if f.equation != 4 or f.value not in shown:
            continue
        program = f.run.program
        blamed = []
        for k, slot in f.feeders:
            node = program.producer(k)
            assert node is not None
            if not rules or ((node.op, program.form(node)) in rules and fault.slot in (None, slot)):
                blamed.append((k, slot))
        for k, slot in blamed[-1:]:
            if len(f.feeders) == 1 and k in shown:
                out.append(Push(shown[k], slot, f.observed, f.expected))
    return tuple(out)
