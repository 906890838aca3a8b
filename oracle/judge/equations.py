"""The local equations: is every number of a run what its own inputs call for?

1. leaves hold their inputs, and no op changed its operands
2. every value is its op at the subject's own operand data
3. the root's gradient starts at 1
4. every gradient is the sum of what its consumers owe it, at the subject's own upstream gradients

Nodes that do not lead to the root take no part. Equality is a rounding bound from the vocabulary, never a
tolerance. See design, section 2.
"""

from __future__ import annotations

import itertools
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from oracle import standard_reference
from oracle.case import Backward, Case, Observation, Observe, Rebuild, Seed, Set, Zero
from oracle.floats import U, same, smallest_normal, ulps
from oracle.judge.storage import Storage
from oracle.program import Node, Program
from oracle.vocabulary import VOCABULARY, Point

IMPRECISE = 1e-6
"""Beyond its bound but within this of the right number (relative to the size of the rule): imprecise."""


@dataclass(frozen=True)
class Run:
    """What one Observe showed: the numbers before the equations are asked.

    root   the value that backward was called on; None when nothing was called since the last Observe
    data   data of every value; made: the same as read when each was made
    grad   what the call added to every gradient; None where it cannot be read
    slack  rounding of the subtraction that made `grad`, per value (0 for a first call)
    first  whether nothing has come to a value's gradient, nor set it, since it was made; () where that is unknown
    number which Observe of the case this is, from 0
    before the gradients that the call found, per value; empty where they were not told
    """

    case: Case
    program: Program
    root: int | None
    data: Sequence[float]
    made: Sequence[float]
    grad: Sequence[float | None]
    slack: Sequence[float]
    number: int = 0
    before: Sequence[float] = ()
    first: Sequence[bool] = ()

    @property
    def fresh(self) -> bool:
        """Whether no Observe of the case came before."""
        return self.number == 0

    def node(self, k: int) -> Node:
        """The op application that made a value. Raises ValueError for an input."""
        node = self.program.producer(k)
        if node is None:
            raise ValueError(f"value {k} is an input")
        return node

    def rule(self, k: int) -> tuple[str, str]:
        """The op that made a value, and the form in which it was applied."""
        node = self.node(k)
        return node.op, self.program.form(node)

    def point(self, k: int) -> Point:
        """The operands' data that a value was made of, as the subject had them."""
        return self.program.operand_data(self.node(k), self.made)

    def uses(self) -> Counter[int]:
        """How often what leads to the root uses each value. (A plain number counts as an index below 0.)"""
        live = self.program.reaches(self.root)
        return Counter(i for k, node in self.program.nodes() if live[k] for i in node.operands)


@dataclass(frozen=True)
class Failure:
    """One number that its own inputs do not call for.

    equation  1 to 4; for 4, feeders are the (consumer, slot) pairs that owe this value a gradient, and shares
              what each of them owes; of thousands, some of each op (`bulk`)
    bound     the allowed error
    ordinary  whether every rule that feeds the number is at an ordinary point
    imprecise whether the number is off by rounding-like little only
    trait     which of the subject's traits accounts for it: "storage", "start", or none
    """

    run: Run
    equation: int
    value: int
    observed: float
    expected: float
    bound: float
    ordinary: bool
    imprecise: bool
    feeders: tuple[tuple[int, int], ...] = ()
    shares: tuple[float, ...] = ()
    what: str = "data"
    trait: str = ""


class Exercise(NamedTuple):
    """A rule that was seen to hold at an informative point: op, form, and operand (None: the value)."""

    op: str
    form: str
    slot: int | None


@dataclass(frozen=True)
class Checked:
    """The equations of one run, asked.

    data, grad  what the subject's own inputs call for; grad None where nothing is owed
    exercised   rules seen to hold at informative points, with the error in ulp
    """

    run: Run
    failures: tuple[Failure, ...]
    data: Sequence[float]
    grad: Sequence[float | None]
    exercised: Mapping[Exercise, float]
    conventions: frozenset[int]
    undecided: bool

    @property
    def sound(self) -> bool:
        """Whether it is a first backward in which nothing was wrong, in a case that is not about a policy."""
        run = self.run
        return run.root is not None and run.fresh and not run.case.policy and not self.failures


Conventions = Mapping[tuple[str, int], float]
"""(op, number of its kink) → the weight that the subject uses there, where it is valid but not PyTorch's."""


@dataclass(frozen=True)
class Traits:
    """What has been learned of the whole subject before its rules are judged.

    storage   how it keeps its numbers, where that is not as they are
    per_path  it pushes gradients along every path, instead of once per node
    start     what a gradient is before anything has come to it: of leaves, and of results
    gradients how it keeps gradients, where that is in a shorter float than its numbers
    """

    conventions: Conventions
    storage: Storage | None = None
    per_path: bool = False
    start: tuple[float, float] = (0.0, 0.0)
    gradients: Storage | None = None

    @property
    def unit(self) -> float:
        """Its unit of rounding (2^-53; 2^-24 for one that stores float32)."""
        return U if self.storage is None else self.storage.unit

    @property
    def gradient_unit(self) -> float:
        """The unit of rounding of its gradients."""
        return self.unit if self.gradients is None else max(self.unit, self.gradients.unit)

    def stored(self, x: float) -> float:
        """A number as this subject holds it."""
        if self.storage is None or self.storage.keep is None or x != x:
            return x
        return self.storage.keep(x)

    def keeps(self, given: float, held: float) -> bool:
        """Whether this subject may hold that where it was given the other."""
        if self.storage is None:
            return False
        return self.storage.keep is None or same(self.storage.keep(given), held)


class Locals(Protocol):
    """The reference at the subject's own numbers. None: no opinion."""

    def value(self, k: int, node: Node, point: Point) -> float | None: ...

    def vjp(self, k: int, slot: int, g: float, node: Node, point: Point) -> float | None: ...


class StandardLocals:
    """The reference by the standard library: quick, and silent where it is not sure."""

    def value(self, k: int, node: Node, point: Point) -> float | None:
        return standard_reference.value(node, point)

    def vjp(self, k: int, slot: int, g: float, node: Node, point: Point) -> float | None:
        return standard_reference.vjp(node, point, slot, g)


def runs(case: Case, observations: Sequence[Observation]) -> Iterator[Run]:
    """Cut a case into runs, one for every Observe."""
    size = len(case.program)
    before: list[float] = [0.0] * size
    first = [True] * size
    inputs = list(case.program.inputs)
    leaves = len(inputs)
    seen = iter(observations)
    pending: int | None = None
    number = 0
    for step in case.steps:
        match step:
            case Backward(value):
                pending = value
            case Zero(values):
                for i in values:
                    before[i], first[i] = 0.0, False
            case Seed(value):
                before[value], first[value] = 0.0, False
            case Set(value, data):
                inputs[value] = data
            case Rebuild():
                before[leaves:] = [0.0] * (size - leaves)
                first[leaves:] = [True] * (size - leaves)
            case Observe():
                now = next(seen)
                yield _run(case, pending, inputs, now, before, number, tuple(first))
                first = [False] * size
                before = [g or 0.0 for g in now.grad]
                pending, number = None, number + 1


def _run(
    case: Case,
    root: int | None,
    inputs: list[float],
    now: Observation,
    before: list[float],
    number: int,
    first: tuple[bool, ...],
) -> Run:
    grad, slack = now.grad, array("d", bytes(8 * len(before)))
    if any(before):
        grad = list(grad)
        for i, (g, b) in enumerate(zip(now.grad, before, strict=True)):
            if g is not None and b != 0.0:
                grad[i] = g - b
                slack[i] = 2 * U * (abs(g) + abs(b))
    program = case.program
    if (held := array("d", inputs)) != program.inputs:
        program = replace(program, inputs=held)
    return Run(case, program, root, now.data, now.made or now.data, grad, slack, number, tuple(before), first)


def close(observed: float, expected: float, bound: float) -> bool:
    """Whether a number is the expected one up to its bound; nan and inf by class and sign."""
    if same(observed, expected):
        return True
    if not (math.isfinite(observed) and math.isfinite(expected)):
        return False
    return abs(observed - expected) <= bound


class Part(NamedTuple):
    """Some values of a run.

    values  whose equations are asked
    nodes   the values of all nodes that make or use one of these, ascending
    live    for every value of the program, whether it leads to the root
    """

    values: Collection[int]
    nodes: Sequence[int]
    live: Sequence[bool]


def check(run: Run, locals_: Locals, traits: Traits, part: Part | None = None) -> Checked:
    """Ask the four equations of one run. Where the reference has no opinion, the answer is `undecided`.

    part  the values that are asked about, where all gradients are observed; None: all. The equations are
          independent of each other then, because each is about the subject's own numbers
    """
    asked = _Asked(run, locals_, traits, part)
    if asked.mutated():
        return asked.result()
    asked.values()
    if run.root is None:
        asked.untouched()
    else:
        asked.gradients(run.root)
    return asked.result()


class _Owed(NamedTuple):
    """What a consumer owes one of its operands, with its bound; `alternative`: by the subject's own result."""

    consumer: int
    slot: int
    contribution: float
    bound: float
    alternative: float | None


def _add(contributions: Iterable[float]) -> float:
    """Their sum from left to right (float `sum` is compensated from Python 3.12 on)."""
    total = 0.0
    for x in contributions:
        total += x
    return total


def _mixtures(owed: list[_Owed]) -> Iterator[tuple[float, ...]]:
    """Every way of taking each contribution by the operand or by the result (64 at most)."""
    choices = [(o.contribution,) if o.alternative is None else (o.contribution, o.alternative) for o in owed]
    return itertools.islice(itertools.product(*choices), 1, 64)


class _Asked:
    """The state of one `check`: expected numbers, bounds and failures as they are found."""

    def __init__(self, run: Run, locals_: Locals, traits: Traits, part: Part | None) -> None:
        self.run, self.locals, self.traits, self.part = run, locals_, traits, part
        self.only = None if part is None else part.values
        self.program = run.program
        size = len(self.program)
        first = len(self.program.inputs)
        self.nodes = (
            list(self.program.nodes())
            if part is None
            else [(k, self.program.node(k - first)) for k in part.nodes]
        )
        self.producers = dict(self.nodes)
        self.points = {k: self.program.operand_data(node, run.made) for k, node in self.nodes}
        if traits.storage is not None:
            self.points = {k: tuple(map(traits.stored, point)) for k, point in self.points.items()}
        self.live: Sequence[bool] = ()
        if run.root is not None:
            self.live = self.program.reaches(run.root) if part is None else part.live
        self.data: list[float] = list(run.made)
        self.grad: list[float | None] = [None] * size
        self.failures: list[Failure] = []
        self.exercised: dict[Exercise, float] = {}
        self.conventional: set[int] = set()
        self.paths: defaultdict[int, float] = defaultdict(float)
        self.undecided = False

    def result(self) -> Checked:
        return Checked(
            self.run,
            tuple(self.failures),
            tuple(self.data),
            tuple(self.grad),
            self.exercised,
            frozenset(self.conventional),
            self.undecided,
        )

    # 1 ---------------------------------------------------------------------------------------------------

    def mutated(self) -> bool:
        """Equation 1. Where it fails nothing else is asked: no number can be trusted."""
        for i, x in enumerate(self.program.inputs):
            held = self.run.made[i]
            short = self.traits.unit > U and close(held, self.traits.stored(x), 0.0)
            if not (short or close(held, x, 0.0)):
                self._fail(1, i, held, x, 0.0, True, trait="storage" if self.traits.keeps(x, held) else "")
        if self.run.made is not self.run.data:
            for i, (made, later) in enumerate(zip(self.run.made, self.run.data, strict=True)):
                if not same(made, later):
                    self._fail(1, i, later, made, 0.0, True)
        return any(not f.trait for f in self.failures)

    # 2 ---------------------------------------------------------------------------------------------------

    def values(self) -> None:
        """Equation 2, for every node."""
        for k, node in self.nodes:
            row = VOCABULARY[node.op]
            point = self.points[k]
            observed = self.run.made[k]
            expected = self.locals.value(k, node, point)
            if expected is None:
                self.undecided = True
                continue
            self.data[k] = expected
            if self.only is not None and k not in self.only:
                continue
            bound = row.value_bound.at(point, expected, parameters=node.parameters) * (self.traits.unit / U)
            if row.value_bound.relative or self.traits.unit > U:
                bound += 8 * smallest_normal(self.traits.unit) * self.traits.unit
            if self.traits.unit > U:
                bound += self.traits.unit * abs(expected)
            ordinary = row.ordinary(point, node.parameters) and math.isfinite(self.traits.stored(expected))
            if not close(observed, expected, bound):
                kept = any(self.traits.keeps(expected + by, observed) for by in (0.0, bound, -bound))
                self._fail(
                    2, k, observed, expected, bound, ordinary, abs(expected), trait="storage" if kept else ""
                )
            elif math.isfinite(expected) and all(map(math.isfinite, point)):
                self._exercise(node, None, observed, expected if ordinary else observed)

    # 3 and 4 ---------------------------------------------------------------------------------------------

    def untouched(self) -> None:
        """Computing forward leaves the gradients of the leaves alone (equation 1, of gradients)."""
        for i in range(len(self.program.inputs)):
            self.grad[i] = 0.0
            g = self.run.grad[i]
            if g is not None and not close(g, 0.0, 0.0):
                trait = "start" if same(g, self._start(i)) else ""
                self._fail(1, i, g, 0.0, 0.0, True, what="grad", trait=trait)

    def gradients(self, root: int) -> None:
        """Equations 3 and 4, from the root down; where a gradient cannot be read, the owed one stands in."""
        run = self.run
        owed: defaultdict[int, list[_Owed]] = defaultdict(list)
        natural: defaultdict[int, float] = defaultdict(
            float
        )  # adjoints of absolute slopes, for per-path engines
        self.paths[root] = 1.0
        concerned: Iterable[int] = range(root + 1)
        if self.part is not None:
            concerned = {*self.part.values, *self.part.nodes}
        for i in sorted(concerned, reverse=True):
            if not self.live[i]:
                continue
            g, error = run.grad[i], 0.0
            if i == root:
                self.grad[i], bound, natural[i] = 1.0, run.slack[i], 1.0
                if g is not None and not close(g, 1.0, bound):
                    trait = "start" if same(g, 1.0 + self._start(i)) else ""
                    self._fail(3, i, g, 1.0, bound, True, trait=trait)
            elif self.only is None or i in self.only:
                bound = self._sum(i, g, owed.pop(i, []), natural[i])
            else:
                bound = 0.0
            if g is None:
                g, error = self.grad[i] or 0.0, bound
            natural[i] = max(natural[i], abs(g))
            node = self.producers.get(i)
            if node is not None:
                self._push(i, node, g, error, owed, natural)

    def _push(
        self,
        k: int,
        node: Node,
        g: float,
        error: float,
        owed: defaultdict[int, list[_Owed]],
        natural: defaultdict[int, float],
    ) -> None:
        """Note what node k owes its operands, with the bound of each contribution."""
        row, point = VOCABULARY[node.op], self.points[k]
        kinks = row.bends(**node.parameters) if row.bends and node.parameters else row.kinks
        kink = next((n for n, kink in enumerate(kinks) if kink.at(*point)), None) if kinks else None
        weight = None
        if kink is not None:
            weight = self.traits.conventions.get((node.op, kink))
        for slot, i in enumerate(node.operands):
            if i < 0 or (self.only is not None and i not in self.only):
                continue
            alternative = None
            if weight is not None:
                contribution: float | None = g * (weight if slot == 0 else 1.0 - weight)
                self.conventional.add(i)
            else:
                contribution = self.locals.vjp(k, slot, g, node, point)
                if not same(self.run.made[k], self.data[k]):
                    alternative = self._by_result(k, slot, g, node, point)
            if contribution is None:
                self.undecided = True
                contribution = math.nan
            bound = row.slope_bound.at(point, contribution, abs(g), node.parameters)
            bound *= self.traits.gradient_unit / U
            # What is pushed is rounded on its way, exact as its rule may be.
            if self.traits.gradients is not None:
                bound += 4 * self.traits.gradient_unit * abs(contribution)
            slope = abs(contribution / g) if g and math.isfinite(g) else 0.0
            # Contributions that cancelled have left their rounding.
            if g == 0.0 and (error or self.traits.per_path):
                slope = abs(self.locals.vjp(k, slot, 1.0, node, point) or 0.0) if weight is None else 1.0
            if self.traits.per_path:
                self.paths[i] += self.paths[k]
            if math.isfinite(slope):
                bound += slope * error
                natural[i] += slope * natural[k]
            owed[i].append(_Owed(k, slot, contribution, bound, alternative))

    def _by_result(self, k: int, slot: int, g: float, node: Node, point: Point) -> float | None:
        """The same rule in terms of the subject's own result: as right as the rule in terms of the operand."""
        return standard_reference.vjp(node, point, slot, g, self.run.made[k])

    def _sum(self, i: int, g: float | None, owed: list[_Owed], natural: float) -> float:
        """Equation 4 for value i. Notes the owed gradient and returns its bound."""
        contributions = [o.contribution for o in owed]
        expected = _add(contributions)
        self.grad[i] = expected
        total = sum(map(abs, contributions))
        unit = self.traits.gradient_unit
        bound = self.run.slack[i] + sum(o.bound for o in owed) + len(owed) * smallest_normal(unit)
        if len(owed) > 1:
            bound += 2 * len(owed) * unit * total
        if unit > U:
            bound += 4 * unit * total
        # n terms summed one by one are off by (n - 1)·u·Σ|term| (Higham, section 4.2).
        if self.traits.per_path:
            bound += 2 * max(2.0 * len(self.program), self.paths[i]) * unit * natural
        if g is None:
            return bound
        if math.isinf(total) and all(map(math.isfinite, contributions)):
            return bound  # whether the sum overflows depends on its order: uninformative
        if close(g, expected, bound) or any(close(g, _add(mixed), bound) for mixed in _mixtures(owed)):
            if math.isfinite(expected):
                self._exercised(owed, g, expected, bound)
            return bound
        ordinary = math.isfinite(self.traits.stored(expected)) and all(
            self._ordinary(o.consumer) for o in owed
        )
        start = self._start(i)
        late = start != 0.0 and close(
            g, start + expected, bound + (len(owed) + 1) * 2 * unit * (abs(start) + total)
        )
        self._fail(4, i, g, expected, bound, ordinary, total, owed, trait="start" if late else "")
        return bound

    def _start(self, i: int) -> float:
        """What the gradient of a value was before this run."""
        fresh = i < len(self.run.first) and self.run.first[i]
        return self.traits.start[i >= len(self.program.inputs)] if fresh else 0.0

    def _ordinary(self, k: int) -> bool:
        node = self.producers[k]
        return VOCABULARY[node.op].ordinary(self.points[k], node.parameters) and math.isfinite(
            self.run.made[k]
        )

    def _exercised(self, owed: list[_Owed], g: float, expected: float, bound: float) -> None:
        """Equation 4 held: note the rules for which that says something."""
        for o in owed:
            upstream = self.run.grad[o.consumer]
            if upstream is None:
                upstream = self.grad[o.consumer] or 0.0
            if upstream in (0.0, 1.0) or not math.isfinite(upstream) or abs(o.contribution) <= 4 * bound:
                continue
            node = self.producers[o.consumer]
            telling = len(owed) == 1 and self._ordinary(o.consumer)
            self._exercise(node, o.slot, g, expected if telling else g)

    # ---------------------------------------------------------------------------------------------------

    def _exercise(self, node: Node, slot: int | None, observed: float, expected: float) -> None:
        key = Exercise(node.op, self.program.form(node), slot)
        error = ulps(observed, expected)
        if error > self.exercised.get(key, -1.0):
            self.exercised[key] = error

    def _fail(
        self,
        equation: int,
        value: int,
        observed: float,
        expected: float,
        bound: float,
        ordinary: bool,
        scale: float = 0.0,
        owed: Sequence[_Owed] = (),
        what: str | None = None,
        trait: str = "",
    ) -> None:
        imprecise = (
            equation in (2, 4)
            and math.isfinite(observed)
            and math.isfinite(scale)
            and abs(observed - expected) <= IMPRECISE * scale
        )
        self.failures.append(
            Failure(
                self.run,
                equation,
                value,
                observed,
                expected,
                bound,
                ordinary,
                imprecise,
                tuple((o.consumer, o.slot) for o in owed),
                tuple(o.contribution for o in owed),
                what or ("grad" if equation > 2 else "data"),
                trait,
            )
        )
