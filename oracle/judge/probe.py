"""Probes: one op in one form, measured on the subject alone, under upstream gradients, and shared.

A probe answers what a whole program cannot: does *this* rule push the right gradient (alone), does it add
or overwrite (shared), does it tell its operands apart (same operand).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from oracle.case import Answer, Case, Crash, Observe
from oracle.floats import U
from oracle.judge.equations import Checked, Run, Traits, close, runs
from oracle.judge.locals import judge
from oracle.recording import Operand, Recorder, Traced
from oracle.subjects import Subject
from oracle.suite.rules import WRAPS, points
from oracle.vocabulary import VOCABULARY, Op, Point

UNREADABLE = "NotANumber"
"""The type of a crash that the subject did not raise: a node holds what is no number."""

Rule = tuple[str, str]
"""An op in one form, e.g. ("mul", "value-float"): the unit that is probed and blamed."""

Make = Callable[[Recorder, Sequence[Operand]], Traced]
"""How to compute a rule's result from its operands: the op itself, or a rewrite of it."""

JOINS: tuple[tuple[str, str, Callable[[Recorder, Traced, Traced], Traced]], ...] = (
    ("a + o", "add", lambda r, a, o: r.node("add", a, o)),
    ("o + a", "add", lambda r, a, o: r.node("add", o, a)),
    ("a * o", "mul", lambda r, a, o: r.node("mul", a, o)),
    ("o * a", "mul", lambda r, a, o: r.node("mul", o, a)),
)
"""Roots that use the op's operand a second time: (name, op, how). The root pushes before the op does, by dependency."""


@dataclass(frozen=True)
class Outcome:
    """A case, what the subject answered, and the equations of its runs."""

    case: Case
    answer: Answer
    checked: tuple[Checked, ...] = ()


def ask(subject: Subject, cases: Sequence[Case], traits: Traits) -> list[Outcome]:
    """Run cases on the subject and ask the equations of every run; without a backward, those of values alone."""
    if not subject.has_backward:
        cases = [replace(case, steps=(Observe(),)) for case in cases]
    return _judged(list(zip(cases, subject.run(cases), strict=True)), traits)


def ask_again(subject: Subject, before: Sequence[Outcome], traits: Traits) -> list[Outcome]:
    """Run the cases of these outcomes again; the equations of the same numbers are not asked again."""
    answers = subject.run([o.case for o in before])
    new = [
        (o.case, a) for o, a in zip(before, answers, strict=True) if a.observations != o.answer.observations
    ]
    judged = iter(_judged(new, traits))
    return [
        next(judged) if a.observations != o.answer.observations else replace(o, answer=a)
        for o, a in zip(before, answers, strict=True)
    ]


def _judged(answered: Sequence[tuple[Case, Answer]], traits: Traits) -> list[Outcome]:
    found: list[list[Run]] = [
        list(runs(case, answer.observations)) if answer.ok else [] for case, answer in answered
    ]
    checked = iter(judge([run for several in found for run in several], traits))
    return [
        Outcome(case, answer, tuple(next(checked) for _ in several))
        for (case, answer), several in zip(answered, found, strict=True)
    ]


@dataclass(frozen=True)
class Valued:
    """A value that the rule computed."""

    point: Point
    observed: float
    expected: float
    ok: bool
    imprecise: bool


@dataclass(frozen=True)
class Pushed:
    """A gradient that the rule pushed to an operand that nobody else uses.

    upstream  the subject's own gradient of the result, finite and neither 0 nor 1 unless wrap is "alone"
    result    the subject's own result
    seen      whether that upstream gradient was read; else it is the one that the wrap owes
    """

    point: Point
    slot: int
    wrap: str
    upstream: float
    result: float
    observed: float
    expected: float
    ok: bool
    imprecise: bool
    seen: bool = True


PRODUCERS: tuple[tuple[str, str, Callable[[float], Point]], ...] = (
    ("a sum", "add", lambda x: (x - 0.25, 0.25)),
    ("a product", "mul", lambda x: (0.5 * x, 2.0)),
)
"""Ways to make an operand a result: (name, op, leaves that make about x). A leaf tells whether it was passed on."""


@dataclass(frozen=True)
class Fed:
    """Whether an operand that is a result got its gradient, and passed it on to what it was made of."""

    slot: int
    producer: str
    got: bool
    passed: bool


@dataclass(frozen=True)
class Idle:
    """Gradients of a small graph when the rule is applied without effect on its root, to other values (apart) and to
    a value of the graph (beside): whether each are right."""

    slot: int
    apart: bool
    beside: bool


GRAPHS: tuple[tuple[str, str | None], ...] = (("add", None), ("add", "add"), ("add", "mul"), ("mul", "add"))
"""What makes the value that a rule is applied to without effect, and the root that uses it (None: it is the root)."""


@dataclass(frozen=True)
class Shared:
    """The gradient of an operand that the root uses as well: what each pushes alone, and both together."""

    slot: int
    join: str
    own: float
    other: float
    together: float
    unit: float = U

    @property
    def ok(self) -> bool:
        return close(self.together, self.own + self.other, 8 * self.unit * (abs(self.own) + abs(self.other)))

    @property
    def lost_other(self) -> bool:
        """Only the op's own push is seen: it overwrote the root's."""
        return not self.ok and close(self.together, self.own, 8 * self.unit * abs(self.own))


@dataclass(frozen=True)
class Same:
    """op(a, a): the sum of what both slots push when told apart, and what arrives at a."""

    wrap: str
    apart: float
    together: float
    size: float
    unit: float = U

    @property
    def ok(self) -> bool:
        return close(self.together, self.apart, 16 * self.unit * self.size + 1e-300)


@dataclass
class Measured:
    """Everything the probes showed of one rule.

    crashes  where it raised, alone; usual_crash: at one of its own points
    clashes  where it raised in backward when the root used its operand, too, and only then: the join, and the case
    """

    rule: Rule
    points: dict[Point, None] = field(default_factory=dict)
    attempts: int = 0
    crashes: list[tuple[Case, Crash]] = field(default_factory=list)
    usual_crash: bool = False
    clashes: list[tuple[str, Case, Crash]] = field(default_factory=list)
    lost: list[tuple[Case, Answer]] = field(default_factory=list)
    values: list[Valued] = field(default_factory=list)
    pushes: list[Pushed] = field(default_factory=list)
    shared: list[Shared] = field(default_factory=list)
    same: list[Same] = field(default_factory=list)
    fed: list[Fed] = field(default_factory=list)
    idle: list[Idle] = field(default_factory=list)
    mutates: list[Case] = field(default_factory=list)
    silenced: int = 0
    numbers: list[tuple[float | None, ...]] = field(default_factory=list)

    @property
    def missing(self) -> Crash | None:
        """The exception, if no ordinary point gave a node."""
        forward = [c for _, c in self.crashes if c.during == "forward"]
        return forward[0] if forward and len(forward) == self.attempts else None


def measure(
    subject: Subject,
    rules: Iterable[Rule],
    traits: Traits,
    extra: dict[Rule, tuple[Point, ...]] | None = None,
    make: Make | None = None,
) -> dict[Rule, Measured]:
    """Probe rules on the subject, all in one go.

    extra   more points for some rules: those at which a suite case failed
    make    computes the result instead of the rule's own op (for a rewrite); expected numbers stay the op's
    """
    plans: list[_Plan] = []
    for rule in rules:
        row = VOCABULARY[rule[0]]
        at = points(row, rule[1])
        at += tuple(p for p in (extra or {}).get(rule, ()) if p not in at and row.ordinary(p))
        for point in at:
            plans.extend(_plans(rule, point, make))
    outcomes = ask(subject, [plan.case for plan in plans], traits)
    found: dict[Rule, Measured] = {}
    together: dict[tuple[Rule, str], dict[str, Outcome]] = {}
    for plan, outcome in zip(plans, outcomes, strict=True):
        measured = found.setdefault(plan.rule, Measured(plan.rule))
        if plan.role == "alone":
            measured.points.setdefault(plan.point)
            _read_alone(measured, plan, outcome, traits.start[0])
        elif plan.role == "fed":
            _read_fed(measured, plan, outcome, traits.start[0])
        else:
            together.setdefault((plan.rule, plan.group), {})[plan.role] = outcome
    for (rule, group), roles in together.items():
        crash = roles["together"].answer.crash if "together" in roles else None
        if crash is not None and crash.during == "backward" and roles["apart"].answer.ok:
            found[rule].clashes.append((group.split("|")[1], roles["together"].case, crash))
        if not all(outcome.answer.ok and outcome.answer.observations for outcome in roles.values()):
            continue
        if "beside" in roles:
            slot = int(group.split("|")[1])
            found[rule].idle.append(Idle(slot, _sound(roles["apart"]), _sound(roles["beside"])))
        else:
            _read_together(found[rule], group, roles, traits)
    _values_behind(subject, [m for m in found.values() if m.crashes and not m.values], traits, plans)
    return found


def _values_behind(
    subject: Subject, raising: Iterable[Measured], traits: Traits, plans: Iterable[_Plan]
) -> None:
    """The values of rules that raise in backward wherever they are tried: computing them may go well, or wrong."""
    wanted = {m.rule: m for m in raising if all(crash.during == "backward" for _, crash in m.crashes)}
    alone = [p for p in plans if p.rule in wanted and p.role == "alone" and p.group == "alone"]
    cases = [replace(plan.case, steps=(Observe(),)) for plan in alone]
    for plan, outcome in zip(alone, ask(subject, cases, traits), strict=True):
        if outcome.checked and not any(f.equation == 1 for f in outcome.checked[-1].failures):
            _read_value(wanted[plan.rule], plan, outcome.checked[-1])


@dataclass(frozen=True)
class _Plan:
    """One probe program: what it is for, and where its parts are.

    role   "alone", or its part in a comparison with others of the same group
    o      index of the op's result; slots: (slot, index of its leaf)
    """

    rule: Rule
    case: Case
    role: str
    group: str
    point: Point
    o: int
    slots: tuple[tuple[int, int], ...]


def _plans(rule: Rule, point: Point, make: Make | None) -> Iterator[_Plan]:
    row = VOCABULARY[rule[0]]
    for wrap in WRAPS:
        yield _build(rule, point, make, "alone", wrap, _under(wrap))
    valued = [slot for slot, kind in enumerate(rule[1].split("-")) if kind == "value"]
    for n, slot in enumerate(valued):
        for name, _, join in JOINS:
            group = f"{slot}|{name}|{point}"
            yield _build(rule, point, make, "together", group, _joined(join, n))
            yield _build(rule, point, make, "apart", group, _joined(join, -1), n)
    lifts = make is not None and len(valued) < row.arity  # leaves for numbers would come after the producer
    for slot in () if lifts else valued:
        for producer, _, _ in PRODUCERS:
            yield _fed(rule, point, make, slot, producer)
        if point == points(row, rule[1])[0]:
            for graph in GRAPHS:
                yield from _idle(rule, point, make, slot, *graph)
    if len(valued) == 2 and row.kink((point[0], point[0])) is None and row.ordinary((point[0], point[0])):
        equal = (point[0], point[0])
        for wrap in ("alone", "times number"):
            group = f"same|{wrap}|{point[0]}"
            yield _build(rule, equal, make, "same", group, _under(wrap), one_leaf=True)
            yield _build(rule, equal, make, "different", group, _under(wrap))


Finish = Callable[[Recorder, Traced, list[Traced]], Traced]


def _under(wrap: str) -> Finish:
    return lambda r, o, leaves: WRAPS[wrap](r, o, leaves[-1])


def _joined(join: Callable[[Recorder, Traced, Traced], Traced], leaf: int) -> Finish:
    return lambda r, o, leaves: join(r, leaves[leaf], o)


def _build(
    rule: Rule,
    point: Point,
    make: Make | None,
    role: str,
    group: str,
    finish: Finish,
    copy_of: int | None = None,
    one_leaf: bool = False,
) -> _Plan:
    """Leaves for the operands, one more for the wrap (or a copy of operand `copy_of`), the op, the root."""
    row = VOCABULARY[rule[0]]
    r = Recorder()
    operands: list[Operand] = []
    leaves: list[Traced] = []
    slots = []
    for slot, (kind, x) in enumerate(zip(rule[1].split("-"), point, strict=True)):
        if kind == "value":
            if not (one_leaf and leaves):
                leaves.append(r.input(x, "ab"[slot]))
            operands.append(leaves[-1])
            slots.append((slot, leaves[-1]._index))
        else:
            operands.append(int(x) if kind == "int" else x)
    values = list(leaves)
    if group == "times leaf" or copy_of is not None:
        leaves.append(r.input(-1.4 if copy_of is None else r.inputs[values[copy_of]._index], "c"))
    o = (make or _op(row))(r, operands).named("o")
    finish(r, o, leaves)
    title = rule[0] if row.arity == 1 else " ".join(rule)
    case = Case(f"probe/{title} {role} {group} {point}", r.finish())
    return _Plan(rule, case, role, group, point, o._index, tuple(slots))


def _fed(rule: Rule, point: Point, make: Make | None, slot: int, producer: str) -> _Plan:
    """One operand made by a producer, the others leaves or numbers; the op is the root."""
    op, parts = next((op, parts) for name, op, parts in PRODUCERS if name == producer)
    r = Recorder()
    made_of = [r.input(x) for x in parts(point[slot])]
    operands: list[Operand] = []
    for k, (kind, x) in enumerate(zip(rule[1].split("-"), point, strict=True)):
        if kind == "value":
            operands.append(made_of[0] if k == slot else r.input(x))
        else:
            operands.append(int(x) if kind == "int" else x)
    operands[slot] = fed = r.node(op, *made_of)
    o = (make or _op(VOCABULARY[rule[0]]))(r, operands)
    case = Case(f"probe/{' '.join(rule)} fed {slot} {producer} {point}", r.program(o))
    return _Plan(rule, case, "fed", producer, point, o._index, ((slot, fed._index), (slot, 0)))


def _idle(
    rule: Rule, point: Point, make: Make | None, slot: int, producer: str, root: str | None
) -> Iterator[_Plan]:
    """A small graph, and the op made last, without effect on the root: of other values, and of a value of the graph."""
    parts = next(parts for _, op, parts in PRODUCERS if op == producer)
    for role in ("apart", "beside"):
        r = Recorder()
        made_of, c = [r.input(x) for x in parts(point[slot])], r.input(-1.4)
        operands: list[Operand] = [
            r.input(x) if kind == "value" else int(x) if kind == "int" else x
            for kind, x in zip(rule[1].split("-"), point, strict=True)
        ]
        used = r.node(producer, *made_of)
        top = used if root is None else r.node(root, used, c)
        if role == "beside":
            operands[slot] = used
        (make or _op(VOCABULARY[rule[0]]))(r, operands)
        case = Case(f"probe/{' '.join(rule)} idle {slot} {producer} {root} {role}", r.program(top))
        yield _Plan(rule, case, role, f"idle|{slot}|{producer}|{root}", point, top._index, ())


def one_op(rule: Rule) -> tuple[Case, int]:
    """The rule alone, at its first point, with the index of its result."""
    plan = _build(rule, points(VOCABULARY[rule[0]], rule[1])[0], None, "alone", "alone", _under("alone"))
    return plan.case, plan.o


def _op(row: Op) -> Make:
    return lambda r, operands: r.node(row.name, *operands)


def _read_alone(measured: Measured, plan: _Plan, outcome: Outcome, start: float) -> None:
    """start: what the gradient of a leaf was before the run"""
    answer = outcome.answer
    if answer.lost:
        measured.lost.append((plan.case, answer))
        return
    measured.attempts += 1
    if answer.crash is not None:
        o_made = answer.crash.node is not None and answer.crash.node > plan.o
        if answer.crash.during == "forward" and o_made:
            measured.attempts -= 1  # the wrap's op failed, not this one
        elif answer.crash.during == "forward" or plan.group == "alone":
            measured.crashes.append((plan.case, answer.crash))
            measured.usual_crash |= plan.point in points(VOCABULARY[plan.rule[0]], plan.rule[1])
    if not outcome.checked:
        return
    checked = outcome.checked[-1]
    run = checked.run
    failed = {(f.value, f.equation): f for f in checked.failures if not f.trait}
    if any(equation == 1 for _, equation in failed):
        if plan.group == "alone":
            measured.mutates.append(plan.case)
        return
    row = VOCABULARY[plan.rule[0]]
    made = run.made[plan.o]
    measured.numbers.append((made, *(run.grad[leaf] for _, leaf in plan.slots)))
    if plan.group == "alone":
        _read_value(measured, plan, checked)
    g = run.grad[plan.o]
    if g is None:
        g = checked.grad[plan.o]
    if g is None or (plan.group != "alone" and (g == 0.0 or g != g or math.isinf(g))):
        owed = checked.grad[plan.o]
        measured.silenced += g == 0.0 and owed is not None and owed != 0.0
        return
    if (plan.o, 2) in failed:
        return
    for slot, leaf in plan.slots:
        observed, expected = run.grad[leaf], checked.grad[leaf]
        if observed is None or expected is None:
            continue
        observed -= start
        wrong = failed.get((leaf, 4))
        kink = row.kink(plan.point)
        if kink is None:
            measured.pushes.append(
                Pushed(
                    plan.point,
                    slot,
                    plan.group,
                    g,
                    made,
                    observed,
                    expected,
                    wrong is None,
                    wrong is not None and wrong.imprecise,
                    run.grad[plan.o] is not None,
                )
            )


def _read_value(measured: Measured, plan: _Plan, checked: Checked) -> None:
    made = checked.run.made[plan.o]
    wrong = next((f for f in checked.failures if f.value == plan.o and f.equation == 2 and not f.trait), None)
    expected = made if wrong is None else wrong.expected
    measured.values.append(
        Valued(plan.point, made, expected, wrong is None, wrong is not None and wrong.imprecise)
    )


def _read_fed(measured: Measured, plan: _Plan, outcome: Outcome, start: float) -> None:
    if not outcome.checked:
        return
    checked, ((slot, fed), (_, leaf)) = outcome.checked[-1], plan.slots
    owed, seen, below = checked.grad[fed], checked.run.grad[fed], checked.run.grad[leaf]
    if not owed or not math.isfinite(owed) or below is None or (seen is not None and not seen):
        return
    if checked.run.made[fed] == checked.run.made[plan.o]:
        return  # a traversal that tells nodes apart by their numbers would pass the operand by
    wrong = any(f.value == fed and f.equation == 4 and not f.trait for f in checked.failures)
    measured.fed.append(Fed(slot, plan.group, not wrong, below != start))


def _sound(outcome: Outcome) -> bool:
    """Whether every gradient of a probe is right."""
    return not any(f.equation in (3, 4) and not f.trait for f in outcome.checked[-1].failures)


def _read_together(measured: Measured, group: str, roles: dict[str, Outcome], traits: Traits) -> None:
    unit, start = traits.gradient_unit, traits.start[0]  # two leaves start apart, and one together
    grads = {role: outcome.answer.observations[-1].grad for role, outcome in roles.items()}
    if "same" in grads:
        together, (a, b) = grads["same"][0], grads["different"][:2]
        if together is not None and a is not None and b is not None:
            measured.same.append(Same(group.split("|")[1], a + b - start, together, abs(a) + abs(b), unit))
        return
    slot, join, _ = group.split("|")
    form = measured.rule[1].split("-")
    leaf = sum(kind == "value" for kind in form[: int(slot)])
    copy = sum(kind == "value" for kind in form)
    own, other, both = grads["apart"][leaf], grads["apart"][copy], grads["together"][leaf]
    if own is not None and other is not None and both is not None:
        measured.shared.append(Shared(int(slot), join, own, other - start, both, unit))
