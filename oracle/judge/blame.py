"""From failing equations to causes: probe every rule, collapse, compose, and account for every wrong number.

The procedure, in order: learn the subject's traits; ask the equations of the whole suite; where anything
fails, probe every rule; see whether all rules fail alike; otherwise blame rules from primitive to composite,
leaving out those that a rewrite explains; what remains wrong while every rule is right is a fault of the
traversal, or of what outlives a backward. See design, section 3.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from oracle import standard_reference
from oracle.case import Backward, Case, Crash, Rebuild
from oracle.floats import short
from oracle.judge import altered, policies, quotients
from oracle.judge.compose import COMPOSITES, leaves_alone, rewrites, walk
from oracle.judge.equations import Exercise, Failure, Run, Traits
from oracle.judge.fault import ONE_FOR_ALL, Fault, Judgement
from oracle.judge.locals import KeptLocals
from oracle.judge.mistakes import misdirected, name_derivative, one_sided, scale
from oracle.judge.predict import alike, fits, owed, replay
from oracle.judge.probe import Measured, Outcome, Rule, ask, measure, one_op
from oracle.judge.symptoms import (
    DETACHED,
    Symptom,
    everywhere,
    symptoms,
    telling_pushes,
    without_lost_wraps,
    wrong_pushes,
)
from oracle.judge.traits import Learned, learn
from oracle.program import Node, Program
from oracle.report import Kind, Severity
from oracle.subjects import Place, Subject
from oracle.subjects.lines import block
from oracle.torch_reference import local
from oracle.vocabulary import VOCABULARY, Point


def judge_subject(subject: Subject, cases: Sequence[Case]) -> Judgement:
    """Run the cases on a subject and find the causes of whatever is wrong."""
    learned = learn(subject)
    outcomes = ask(subject, cases, learned.traits)
    outcomes, flips = _twice(subject, outcomes, learned.traits)
    return replace(_Blame(subject, learned, outcomes).judgement(), flips=flips)


SET_ORDER = ("accumulate", "graph", "lifecycle", "nn", "training")
"""Levels in which the order of a set of nodes may matter."""


CRASH_AT_MOST = 40
"""Values of the largest program that raised and is searched for the operands at which one of its rules does."""

TWICE_AT_MOST = 2000
"""Values of the largest program that is run again: what a set's order changes, small ones show."""


def _twice(subject: Subject, first: list[Outcome], traits: Traits) -> tuple[list[Outcome], frozenset[str]]:
    """Run the cases where set order could matter again, in a fresh process with the reverse order. Of two
    different verdicts on a case the worse one counts, and the case is named."""
    again = [
        n
        for n, o in enumerate(first)
        if o.case.level in SET_ORDER and not o.case.policy and len(o.case.program) <= TWICE_AT_MOST
    ]
    subject.reverse_sets()
    second = ask(subject, [first[n].case for n in again], traits)
    merged, flips = list(first), set()
    for n, other in zip(again, second, strict=True):
        if _signature(first[n]) != _signature(other):
            flips.add(other.case.name)
            if _signature(first[n]) == ((), None):
                merged[n] = other
    return merged, frozenset(flips)


def _signature(o: Outcome) -> tuple[tuple[tuple[int, int], ...], str | None]:
    """What went wrong in a case, without the numbers."""
    crash, lost = o.answer.crash, o.answer.lost
    failed = tuple((f.equation, f.value) for c in o.checked for f in c.failures)
    return failed, crash.type if crash is not None else lost


SEVERAL = 3
"""Ops whose backward raises on one line, at least, for it to be the engine's."""


def _raised(crash: Crash | None) -> tuple[str, str | None, int] | None:
    """Which exception a backward raised, and where; None for one that is not known."""
    if crash is None or crash.during != "backward" or crash.line is None:
        return None
    return crash.type, crash.file, crash.line


def _plain_gradient(f: Failure) -> bool:
    """Whether a wrong number is a gradient, in a case that is not about a policy."""
    return f.equation in (3, 4) and not f.run.case.policy


class _Blame:
    """The procedure's state. Each step adds faults and strikes out the failures that they account for."""

    def __init__(self, subject: Subject, learned: Learned, outcomes: list[Outcome]) -> None:
        self.subject, self.learned, self.outcomes = subject, learned, outcomes
        self.traits = learned.traits
        self.faults: list[Fault] = []
        self.of_rule: dict[Rule, list[Fault]] = defaultdict(list)
        self.symptoms: dict[Rule, tuple[Symptom, ...]] = {}
        self.measured: dict[Rule, Measured] = {}
        self.blamed: dict[str, list[Fault]] = defaultdict(list)
        self.open: list[Failure] = [f for o in outcomes for c in o.checked for f in c.failures]
        self.whole: Fault | None = None
        self.constructor: list[Fault] = []
        self.methods: dict[tuple[str, int], list[str]] | None = None

    def judgement(self) -> Judgement:
        self._storage()
        self._crashes_at_special_points()
        self._differences()
        self._altered()
        self._one_for_all()
        self._seed()
        if self._anything_wrong():
            self._leaks()
            self._probe()
            if not self._everywhere():
                self._rules()
        else:
            self._probe(self._crashed())
            self._rules()
        self._unite_missing()
        self._account()
        self._special()
        self._constructor()
        self._mutation()
        self._schedule()
        self._steps()
        self._kinks()
        self._lost()
        self._unite_raising()
        exercised: dict[Exercise, float] = {}
        for o in self.outcomes:
            for c in o.checked:
                for key, error in c.exercised.items():
                    exercised[key] = max(error, exercised.get(key, 0.0))
        return Judgement(
            self.learned,
            self.outcomes,
            self.faults,
            {rule: faults[0] for rule, faults in self.of_rule.items()},
            self.blamed,
            self.open,
            self.measured,
            exercised,
        )

    # Bookkeeping -----------------------------------------------------------------------------------------

    def _add(self, fault: Fault) -> Fault:
        self.faults.append(fault)
        return fault

    def _strike(self, failure: Failure, faults: Iterable[Fault], explained: bool = True) -> None:
        case = failure.run.case
        for fault in faults:
            fault.note(case, failure, explained)
            if fault not in self.blamed[case.name]:
                self.blamed[case.name].append(fault)

    def _take(
        self,
        faults: Sequence[Fault],
        theirs: Callable[[Failure], object],
        explained: Callable[[Failure], bool] = lambda f: True,
    ) -> None:
        """Strike out all open failures that are these faults'; `explained`: whether they give that very number."""
        mine, self.open = [f for f in self.open if theirs(f)], [f for f in self.open if not theirs(f)]
        for f in mine:
            self._strike(f, faults, explained(f))

    def _rule(self, failure: Failure, k: int) -> Rule:
        node = failure.run.program.producer(k)
        assert node is not None
        return node.op, failure.run.program.form(node)

    # Steps -----------------------------------------------------------------------------------------------

    def _storage(self) -> None:
        """What the constructor does to numbers and gradients is a fault of no rule."""
        storage, start = self.traits.storage, self.traits.start
        assert self.learned.untouched is not None
        if storage is not None:
            severity: Severity = "imprecise" if storage.precision else "wrong"
            self._trait(
                "storage",
                Fault(
                    "forward",
                    severity,
                    detail=f"{storage.name}-storage",
                    storage=storage,
                    seen=self.learned.stored,
                ),
            )
        if any(start):
            self._trait(
                "start", Fault("accumulation", "wrong", detail=f"start: {short(start[0] or start[1])}")
            )

    def _trait(self, trait: str, fault: Fault) -> None:
        """Strike what a trait accounts for."""
        mine = [f for f in self.open if f.trait == trait]
        if not mine and fault.severity == "wrong":
            return  # it is not always so
        self._add(fault)
        if fault.severity == "wrong":
            self.constructor.append(fault)
        if fault.storage is not None and fault.severity == "wrong":
            self.whole = fault  # what is inside composed ops is stored so, too
        if not mine:
            assert self.learned.untouched is not None
            fault.note(self.learned.untouched, None)
        self._take([fault], lambda f: f.trait == trait)

    def _anything_wrong(self) -> bool:
        """Whether an equation fails at an ordinary point, or a backward raises: reason to probe every rule."""
        if any(f.ordinary and not f.run.case.policy for f in self.open):
            return True
        return any(
            o.answer.crash is not None
            and o.answer.crash.during == "backward"
            and not o.case.policy
            and not _special_crash(o)
            for o in self.outcomes
        )

    def _crashed(self) -> list[Rule]:
        """The rules at which computing forward raised: absent ones, mostly."""
        rules = (_crashing_rule(o) for o in self.outcomes if not o.case.policy and not _special_crash(o))
        return list(dict.fromkeys(rule for rule in rules if rule is not None))

    def _crashes_at_special_points(self) -> None:
        """An exception where PyTorch has inf or nan, or a policy case: a choice, not a bug."""
        groups: dict[tuple[str, str | None], Fault] = {}
        for o in self.outcomes:
            crash = o.answer.crash
            if crash is None or not (o.case.policy or _special_crash(o)):
                continue
            policy, op = o.case.policy, None
            if policy is None:
                node = next(node for _, node in o.case.program.nodes())
                point = o.case.program.operand_data(node, o.case.program.inputs)
                op = node.op
                policy = policies.of_point(op, point, _value(op, point))
            fault = groups.get((policy, op))
            if fault is None:
                kind: Kind = "resource" if policy == "recursion-depth" else "raises"
                fault = groups[policy, op] = self._add(Fault(kind, "policy", op, policy=policy, crash=crash))
            fault.note(o.case, None)
            self.blamed[o.case.name].append(fault)

    def _differences(self) -> None:
        """Whether the gradients were measured, by moving each value a little, and not back-propagated."""
        by = quotients.whole(self.open)
        if by is None:
            return
        self.whole = self._add(Fault("derivative", "wrong", detail=f"{quotients.NAME}: {by}"))
        self._take([self.whole], _plain_gradient)

    def _altered(self) -> None:
        """Whether every gradient is altered in the same way once it has been summed: cut off at a bound, rounded."""
        found = altered.whole(self.open, [c for o in self.outcomes for c in o.checked])
        if found is None:
            return
        way, alter = found
        self.whole = self._add(Fault("accumulation", "wrong", detail=f"{altered.NAME}: {way}"))
        self._take([self.whole], _plain_gradient, lambda f: altered.altered(f, alter))

    def _one_for_all(self) -> None:
        """Whether all values have one and the same gradient: that of the class, or of a mutable default argument."""
        fresh = [c for o in self.outcomes for c in o.checked if c.run.root is not None and c.run.fresh]
        told = [c for c in fresh if len({g for g in c.grad if g is not None}) > 1 and None not in c.run.grad]
        if not told or any(len(set(c.run.grad)) > 1 for c in told):
            return
        self.whole = self._add(Fault("accumulation", "wrong", detail=ONE_FOR_ALL))
        self._take([self.whole], lambda f: f.what == "grad" and not f.run.case.policy, lambda f: False)

    def _seed(self) -> None:
        seeds = [f for f in self.open if f.equation == 3]
        rooted = [c for o in self.outcomes for c in o.checked if c.run.root is not None and c.run.fresh]
        fresh = [f for f in seeds if f.run.fresh]
        made = {_root_op(f.run) for f in fresh}
        right = {_root_op(c.run) for c in rooted if not any(f.equation == 3 for f in c.failures)}
        if made and right and not made & right and None not in made:
            deepest = walk([(op, VOCABULARY[op].forms[0]) for op in made if op is not None])[0][0]
            fault = self._add(Fault("seed", "wrong", deepest))
            self._take([fault], lambda f: f.equation == 3)
        elif fresh and 2 * len(fresh) > len(rooted):
            fault = self._add(Fault("seed", "wrong"))
            self._take([fault], lambda f: f.equation == 3)
            if all(f.observed == 0.0 for f in fresh):
                self.whole = fault
                self._take([fault], lambda f: True)

    def _leaks(self) -> None:
        """Whether cases fail only because others ran before them in the same process."""
        failing = {
            f.run.case.name: f.run.case
            for f in self.open
            if f.ordinary and f.run.fresh and f.equation == 4 and not f.run.case.policy
        }
        failing |= {
            o.case.name: o.case
            for o in self.outcomes
            if o.answer.crash is not None
            and o.answer.crash.during == "backward"
            and not o.case.policy
            and not _special_crash(o)
        }
        smallest = sorted(failing.values(), key=lambda case: (len(case.program), case.name))[:5]
        clean = 0
        for case in smallest:
            self.subject.close()  # the next case gets a fresh worker
            (outcome,) = ask(self.subject, [case], self.traits)
            clean += outcome.answer.ok and not any(c.failures for c in outcome.checked)
        if clean < 2 or clean < len(smallest):
            return
        self.whole = self._add(Fault("lifecycle", "wrong", detail="survives"))
        self._take([self.whole], lambda f: not f.run.case.policy)
        for o in self.outcomes:
            if o.answer.crash is not None and not self.blamed.get(o.case.name) and o.case.name in failing:
                self.whole.note(o.case, None)
                self.blamed[o.case.name].append(self.whole)

    def _probe(self, rules: Sequence[Rule] | None = None) -> None:
        """Measure rules (all that the suite uses, if none are given), also at the operands where they failed."""
        if rules is None:
            absent = {o.answer.unsupported for o in self.outcomes}
            rules = list(
                dict.fromkeys(
                    (node.op, o.case.program.form(node))
                    for o in self.outcomes
                    for _, node in o.case.program.nodes()
                    if node.op not in absent
                )
            )
        extra: dict[Rule, tuple[Point, ...]] = {}
        for f in self.open:
            ks = [f.value] if f.equation == 2 else [k for k, _ in f.feeders]
            for k in ks:
                rule, point = self._rule(f, k), _point(f, k)
                known = extra.get(rule, ())
                if len(known) < 3 and point not in known:
                    extra[rule] = (*known, point)
        for o in sorted(self.outcomes, key=lambda o: len(o.case.program)):
            for rule, point in _crash_points(o):
                known = extra.get(rule, ())
                if len(known) < 6 and point not in known:
                    extra[rule] = (*known, point)
        self.measured = measure(self.subject, walk(rules), self.traits, extra)
        found = {rule: symptoms(m) for rule, m in self.measured.items()}
        self.symptoms = without_lost_wraps(self.measured, found)
        self._confirm()

    def _confirm(self) -> None:
        """A rule that is wrong at few points must be wrong beside them, too, or they were coincidences (of a
        traversal that skips nodes with equal numbers, say)."""
        beside: dict[Rule, tuple[Point, ...]] = {}
        for rule, found in self.symptoms.items():
            m = self.measured[rule]
            at = {p.point for s in found if s.kind == "derivative" for p in wrong_pushes(m, s.slot or 0)}
            if at and len(at) <= 3 and any(s.kind == "derivative" for s in found):
                beside[rule] = tuple(_nudged(rule, point, n) for point in at for n in (1, 2))
        for rule, m in measure(self.subject, list(beside), self.traits, beside).items():
            wrong = {
                p.point for s in symptoms(m) if s.kind == "derivative" for p in wrong_pushes(m, s.slot or 0)
            }
            if not wrong & set(beside[rule]):
                self.symptoms[rule] = tuple(s for s in self.symptoms[rule] if s.kind != "derivative")

    def _everywhere(self) -> bool:
        silent = frozenset({"missing", "raises", "forward"})
        if self.whole is not None:
            # its forward was computed as ever
            measured = self.whole.kind in ("seed", "derivative", "accumulation")
            self._rules(silent if measured else frozenset({"missing"}))
            return True
        found = everywhere(self.measured, self.symptoms)
        if found is None:
            return False
        start = None if found.kind != "derivative" else self._hidden_seed()
        if start is not None:
            self.whole = self._add(Fault("seed", "wrong", detail=repr(start)))
            self._rules(silent)
            return True
        example = next(m for m in self.measured.values() if m.pushes)
        self.whole = self._add(Fault(found.kind, "wrong", measured=example, detail=found.detail))
        if found.kind == "derivative":
            self.whole.rules = [r for r, s in self.symptoms.items() if any(x.kind == "derivative" for x in s)]
        self._rules(silent)
        return True

    def _hidden_seed(self) -> float | None:
        """Where the root's gradient cannot be read: what it starts at, if every push is that multiple of the right
        one. (A rule of its own would have to make the same mistake in every op.)"""
        if self.subject.grads != "leaves":
            return None
        pushes = [p for m in self.measured.values() for p in m.pushes if p.expected]
        if pushes and all(p.observed == 0.0 for p in pushes):
            return 0.0
        return scale(pushes)

    def _rules(self, kinds: frozenset[str] | None = None) -> None:
        """Blame rules from primitive to composite."""
        for rule in self._inside_first(walk([r for r in self.measured if self.symptoms[r]])):
            found = tuple(s for s in self.symptoms[rule] if kinds is None or s.kind in kinds)
            if (
                any(s.kind in ("forward", "derivative") for s in found)
                and not self.measured[rule].usual_crash
            ):
                found = tuple(
                    s for s in found if s.kind != "raises"
                )  # it raises where the wrong formula ends
            if not found:
                continue
            seeds = [f for f in self.faults if f.kind == "seed" and f.op == rule[0]]
            below = seeds or self._explained(rule)
            if below:
                self.of_rule[rule].extend(below)
                continue
            for symptom in found:
                self._blame(rule, symptom)

    def _inside_first(self, order: list[Rule]) -> list[Rule]:
        """Rules whose value is computed inside another failing rule's method come after that one.

        A trace only proposes an order; what explains what is decided by numbers.
        """
        traces: dict[Rule, tuple[Place, Place]] = {}
        for rule in order:
            case, o = one_op(rule)
            trace = self.subject.trace(case) if self.measured[rule].missing is None else None
            outer = None if trace is None else trace.methods[o]
            if trace is not None and outer is not None:
                traces[rule] = (outer, trace.values[o] or outer)
        out: dict[Rule, None] = {}
        for rule in order:
            outer, inner = traces.get(rule, (None, None))
            if outer is not None and inner is not None and outer.first != inner.first:
                ops = {r[0] for r, (method, _) in traces.items() if method.first == inner.first} - {rule[0]}
                out |= dict.fromkeys(r for r in order if r[0] in ops)
            out[rule] = None
        return list(out)

    def _explained(self, rule: Rule) -> list[Fault]:
        """The faults that explain a failing rule, if some rewrite of it behaves the same to the bit."""
        if not self.of_rule and not self.constructor:
            return []
        mine = self.measured[rule]
        if mine.missing is not None and not mine.missing.inside:
            return []
        wrong = {p.point for p in mine.pushes if not p.ok} | {v.point for v in mine.values if not v.ok}
        for make, used in rewrites(rule):
            if used == {rule} or not leaves_alone(make, rule, wrong):
                continue
            if (
                mine.missing is not None
            ):  # each form that is absent is an absence, unless another op's explains it
                used = frozenset(r for r in used if r[0] != rule[0])
            faults = [f for r in used if r != rule for f in self.of_rule.get(r, ())]
            faults += self.constructor  # it makes the results within, too
            if not faults:
                continue
            extra = {rule: tuple(mine.points)}
            theirs = measure(self.subject, [rule], self.traits, extra, make)[rule]
            if alike(mine, theirs):
                return list({id(f): f for f in faults}.values())
        return []

    def _blame(self, rule: Rule, symptom: Symptom) -> None:
        """A cause of its own; forms of one op that fail alike are one cause."""
        op, _ = rule
        measured = self.measured[rule]
        if symptom.detail == "same-operand":
            for fault in self.faults:
                if fault.detail == "same-operand":
                    fault.op = op if fault.op == op else None
                    fault.rules.append(rule)
                    self.of_rule[rule].append(fault)
                    return
        for fault in self.of_rule_of(op):
            if (fault.kind, fault.detail) == (symptom.kind, symptom.detail):
                if symptom.kind == "missing" and policies.general(rule[1]) != policies.general(
                    fault.rules[0][1]
                ):
                    continue
                if fault.slot != symptom.slot and not self._one_mistake(fault, measured, symptom):
                    continue
                if rule not in fault.rules:
                    fault.rules.append(rule)
                    self.of_rule[rule].append(fault)
                elif fault.slot != symptom.slot:
                    fault.slot = None
                if not symptom.imprecise and fault.severity == "imprecise":
                    fault.severity = "wrong"
                return
        severity: Severity = (
            "missing" if symptom.kind == "missing" else "imprecise" if symptom.imprecise else "wrong"
        )
        fault = self._add(Fault(symptom.kind, severity, op, symptom.slot, [rule], measured, symptom.detail))
        if symptom.kind == "missing":
            fault.crash = measured.missing
        elif symptom.kind == "raises":
            fault.crash = measured.crashes[0][1] if measured.crashes else measured.clashes[0][2]
            if fault.crash.type == "RecursionError":
                fault.detail = "recursion"
        self.of_rule[rule].append(fault)

    def _unite_missing(self) -> None:
        """Where every form that starts with a value is missing, that is one absence; so is every form at all."""
        for op in {f.op for f in self.faults if f.kind == "missing"}:
            forms = set(VOCABULARY[op].forms) if op is not None else set()
            for wanted in ({form for form in forms if form.startswith("value")}, forms):
                parts = [
                    f
                    for f in self.faults
                    if f.kind == "missing" and f.op == op and {form for _, form in f.rules} <= wanted
                ]
                if len(parts) > 1 and {form for f in parts for _, form in f.rules} == wanted:
                    self._unite(parts)

    def _unite_raising(self) -> None:
        """Where the backward of several ops raises on one and the same line, that is the engine's, not theirs."""
        raising = [f for f in self.faults if f.kind == "raises" and f.severity == "wrong"]
        for at in {_raised(f.crash) for f in raising}:
            parts = [f for f in raising if _raised(f.crash) == at]
            if at is not None and len({f.op for f in parts}) >= SEVERAL:
                self._unite(parts)
                parts[0].op, parts[0].slot, parts[0].measured = None, None, None

    def _unite(self, parts: list[Fault]) -> None:
        first, *others = parts
        for other in others:
            first.rules.extend(other.rules)
            first.evidence.extend(other.evidence)
            for faults in self.blamed.values():
                if any(f is other for f in faults):
                    faults[:] = [f for f in faults if f is not first and f is not other] + [first]
            for rule in other.rules:
                self.of_rule[rule] = [first if f is other else f for f in self.of_rule[rule]]
        self.faults = [f for f in self.faults if not any(f is other for other in others)]

    def _one_mistake(self, fault: Fault, measured: Measured, symptom: Symptom) -> bool:
        """Whether another slot's fault is the same mistake, so that it is one cause of both operands."""
        if symptom.kind != "derivative":
            return True
        assert fault.measured is not None
        if misdirected(measured.rule[0], measured.pushes) or one_sided(measured.pushes) is not None:
            return True
        names = [
            name_derivative(m.rule[0], telling_pushes(m, slot))
            for m, slot in ((fault.measured, fault.slot or 0), (measured, symptom.slot or 0))
        ]
        return names[0] is names[1]

    def of_rule_of(self, op: str) -> list[Fault]:
        """Faults already blamed on an op."""
        return [f for f in self.faults if f.op == op and f.policy is None and f.rules]

    # Accounting ------------------------------------------------------------------------------------------

    def _account(self) -> None:
        """Strike out every failure, crash and absence that the blamed rules account for."""
        remaining = []
        plans: list[tuple[Failure, list[Fault]]] = []
        detaching: dict[int, Mapping[int, list[Fault]]] = {}
        for f in self.open:
            ks = [f.value] if f.equation == 2 else _suspects(f)
            if f.equation == 3 and self.whole is not None and self.whole.kind in ("seed", "derivative"):
                self._strike(f, [self.whole])  # a root that is a leaf
                continue
            if f.equation not in (2, 4):
                remaining.append(f)
                continue
            faults: dict[int, Fault] = {}
            for k in ks:
                for fault in self.of_rule.get(self._rule(f, k), ()):
                    if fault.kind not in ("missing", "raises"):
                        faults[id(fault)] = fault
            if f.equation == 4:
                program = f.run.program
                if id(program) not in detaching:
                    detaching[id(program)] = self._detaching(program)
                loose = detaching[id(program)]
                faults |= {id(fault): fault for k, _ in f.feeders for fault in loose.get(k, ())}
            if f.equation == 4 and self.whole is not None:
                faults = {id(self.whole): self.whole} | faults
            if not faults:
                remaining.append(f)
            elif f.equation == 2:
                self._strike(f, faults.values())
            else:
                plans.append((f, list(faults.values())))
        self.open = remaining
        self._predict(plans)
        for o in self.outcomes:
            crash = o.answer.crash
            if crash is None or self.blamed.get(o.case.name):
                continue
            for fault in self._crashing(o):
                fault.note(o.case, None)
                self.blamed[o.case.name].append(fault)

    def _detaching(self, program: Program) -> Mapping[int, list[Fault]]:
        """For values of a program, the faults of the rules that did not tell the graph of them, so that they pushed
        nothing."""
        lost = {
            (rule, s.slot) for rule, found in self.symptoms.items() for s in found if s.detail == DETACHED
        }
        out: dict[int, list[Fault]] = defaultdict(list)
        for _, node in program.nodes() if lost else ():
            rule = node.op, program.form(node)
            for slot, i in enumerate(node.operands):
                if (rule, slot) in lost:
                    out[i] += [fault for fault in self.of_rule.get(rule, ()) if fault.detail == DETACHED]
        return out

    def _crashing(self, o: Outcome) -> list[Fault]:
        """The faults that account for an exception: of the op being computed, or of any op in backward."""
        assert o.answer.crash is not None
        node = o.answer.crash.node
        producer = None if node is None else o.case.program.producer(node)
        if producer is not None and o.answer.crash.during == "forward":
            rules = [(producer.op, o.case.program.form(producer))]
            return [f for f in self.of_rule.get(rules[0], ()) if f.kind in ("missing", "raises")]
        rules = [(inner.op, o.case.program.form(inner)) for _, inner in o.case.program.nodes()]
        found = {id(f): f for rule in rules for f in self.of_rule.get(rule, ()) if f.kind != "missing"}
        return list(found.values())

    def _predict(self, plans: list[tuple[Failure, list[Fault]]]) -> None:
        """Replay each failing sum with the measured pushes of the blamed rules in it."""
        wanted: dict[tuple[Rule, Point, float], None] = {}
        for f, _ in plans:
            for k, _ in f.feeders:
                rule = self._rule(f, k)
                if self.of_rule.get(rule) or self.whole:
                    wanted[rule, _point(f, k), _known(f, k)] = None
        pushes = replay(self.subject, list(wanted)[:2000])
        for f, faults in plans:
            observed = f.observed
            if any(f.run.grad[k] is None for k, _ in f.feeders):
                self._strike(f, faults)
                continue
            shares = []
            for k, slot in f.feeders:
                rule, point, g = self._rule(f, k), _point(f, k), _known(f, k)
                known = pushes.get((rule, point, g), {})
                shares.append(known[slot] if slot in known else owed(rule, point, slot, g))
            lossy = any(x.kind == "accumulation" or x.detail == DETACHED for x in faults)
            explained = fits(observed, shares, lossy)
            if explained or f.run.fresh or not f.run.case.policy:
                self._strike(f, faults, explained)
            else:  # the rule, and the engine's choice on top of it
                self.open.append(f)

    # What no rule explains -------------------------------------------------------------------------------

    def _special(self) -> None:
        """Deviations at points that are not ordinary: policies, grouped by policy and op."""
        remaining = []
        groups: dict[tuple[str, str | None], Fault] = {}
        for f in self.open:
            if f.ordinary or f.equation not in (2, 4) or f.run.case.policy:
                remaining.append(f)
                continue
            k = f.value if f.equation == 2 else f.feeders[0][0]
            op, point = self._rule(f, k)[0], _point(f, k)
            policy = policies.of_point(op, point, _value(op, point))
            fault = groups.get((policy, op))
            if fault is None:
                kind: Kind = "forward" if f.equation == 2 else "derivative"
                fault = groups[policy, op] = self._add(Fault(kind, "policy", op, policy=policy))
            self._strike(f, [fault])
        self.open = remaining

    def _constructor(self) -> None:
        """What the constructor does to the results inside composed ops shows in sums, where no rule tells of it."""
        if self.constructor:
            self._take(self.constructor, lambda f: not f.run.case.policy, lambda f: False)

    def _mutation(self) -> None:
        """Equation 1: an op changed its operands' data, or computing forward changed gradients."""
        failing = [f for f in self.open if f.equation == 1]
        if not failing:
            return
        for what in ("data", "grad"):
            these = [f for f in failing if f.what == what]
            if not these:
                continue
            known = [f for f in self.faults if f.kind == "lifecycle" and f.detail == "mutates"]
            if what == "data" and known:
                for f in these:
                    self._strike(f, known)
                continue
            smallest = min(these, key=lambda f: len(f.run.program))
            ops = {node.op for _, node in smallest.run.program.nodes()}
            op = next(iter(ops)) if len(ops) == 1 else None
            detail = "mutates" if what == "data" else "forward-touches-gradients"
            fault = self._add(Fault("lifecycle", "wrong", op, detail=detail))
            for f in these:
                self._strike(f, [fault])
        self.open = [f for f in self.open if f.equation != 1]

    def _schedule(self) -> None:
        """Every rule is right, alone and shared, and yet sums are wrong on a first backward."""
        failing = [f for f in self.open if f.equation == 4 and f.run.fresh and f.ordinary]
        if not failing:
            return
        self._take([self._add(Fault("schedule", "wrong"))], lambda f: f.equation in (3, 4))

    def _steps(self) -> None:
        """Right on a first backward, wrong later: a policy where the case is about one, else lifecycle."""
        groups: dict[str, Fault] = {}
        remaining = []
        for f in self.open:
            policy = f.run.case.policy
            if f.run.fresh and not policy:
                remaining.append(f)
                continue
            if not policy and "graph" in self.subject.found and _again(f.run.case):
                policy = "second-backward"  # what PyTorch does: the graph is gone
            key = policy or "lifecycle"
            if key not in groups:
                groups[key] = self._add(
                    Fault("lifecycle", "policy" if policy else "wrong", detail="", policy=policy)
                )
            self._strike(f, [groups[key]])
        self.open = remaining

    def _kinks(self) -> None:
        for kinky in self.learned.kinks:
            rule = (kinky.op, VOCABULARY[kinky.op].forms[0])
            if self.of_rule.get(rule) or self.whole is not None:
                continue
            if kinky.valid:
                continue
            fault = self._add(Fault("derivative", "wrong", kinky.op, detail="kink"))
            fault.note(kinky.case, None)

    def _lost(self) -> None:
        """Crashes of the traversal, timeouts and deaths on cases that nothing explains."""
        groups: dict[tuple[object, ...], Fault] = {}
        order = {
            op: n for n, (op, _) in enumerate(walk([(op, VOCABULARY[op].forms[0]) for op in VOCABULARY]))
        }
        found = [
            o for o in self.outcomes if (o.answer.crash or o.answer.lost) and not self.blamed.get(o.case.name)
        ]
        for o in sorted(found, key=lambda o: order.get((_crashing_rule(o) or ("", ""))[0], len(order))):
            crash, lost = o.answer.crash, o.answer.lost
            if crash is not None:
                deep = crash.type in ("RecursionError", "MemoryError")
                rule = _crashing_rule(o)
                op = self._raising(crash) or (rule[0] if rule else None) if not deep else None
                kind: Kind = "resource" if deep else "raises"
                detail = crash.type
            else:
                op, kind, detail = None, "resource", lost or ""
            policy = o.case.policy
            if policy is None and crash is not None and crash.during == "backward" and _again(o.case):
                policy = "second-backward"  # so does PyTorch, unless it is told to keep the graph
            severity: Severity = "policy" if policy else "wrong"
            key: tuple[object, ...] = (detail, op)
            if op in COMPOSITES and crash is not None and crash.line is not None:
                # A composed op raises where an op inside it does, which came before it.
                key = next((k for k, f in groups.items() if _one_statement(f, crash)), key)
            fault = groups.get(key)
            if fault is None:
                fault = groups[key] = self._add(
                    Fault(kind, severity, op, detail=detail, crash=crash, policy=policy)
                )
            fault.note(o.case, None)
            self.blamed[o.case.name].append(fault)

    def _raising(self, crash: Crash) -> str | None:
        """The op in whose own method the statement is that raised in backward: in its closure, say."""
        if crash.during != "backward" or crash.line is None or self.subject.file is None:
            return None
        file = crash.file or self.subject.file
        if self.methods is None:
            self.methods = {}
            for rule in walk([(op, VOCABULARY[op].forms[0]) for op in self.subject.ops]):
                case, o = one_op(rule)
                trace = self.subject.trace(case)
                if trace is not None and (method := trace.methods[o]) is not None:
                    self.methods.setdefault((method.file, method.first), []).append(rule[0])
        for (place, first), ops in self.methods.items():
            if place == file and len(ops) == 1 and crash.line in block(self.subject.file, file, first):
                return ops[0]
        return None


def _again(case: Case) -> bool:
    """Whether a case back-propagates twice through one graph, from the same root."""
    roots: set[int] = set()
    for step in case.steps:
        if isinstance(step, Rebuild):
            roots.clear()
        elif isinstance(step, Backward):
            if step.value in roots:
                return True
            roots.add(step.value)
    return False


def _one_statement(fault: Fault, crash: Crash) -> bool:
    """Whether an op's fault is the same exception at the same statement."""
    other = fault.crash
    return (
        fault.op is not None
        and other is not None
        and (other.type, other.message, other.file, other.line, other.during)
        == (crash.type, crash.message, crash.file, crash.line, crash.during)
    )


def _nudged(rule: Rule, point: Point, n: int) -> Point:
    """Operands close by, equal ones made unequal; ints stay ints."""
    kinds = enumerate(zip(rule[1].split("-"), point, strict=True))
    return tuple(x if kind == "int" else x * (1 + (n + 3 * slot) / 977) for slot, (kind, x) in kinds)


def _crash_points(o: Outcome) -> Iterator[tuple[Rule, Point]]:
    """Where the rules of a small program whose backward raised were applied, by its right values, in every form that
    they have: one of them raises there."""
    crash, program = o.answer.crash, o.case.program
    if crash is None or crash.during != "backward" or len(program) > CRASH_AT_MOST:
        return
    if o.case.policy or _special_crash(o):
        return
    data = standard_reference.run(program).data
    for _, node in program.nodes():
        point = program.operand_data(node, data)
        for form in VOCABULARY[node.op].forms:
            ints = [
                float(math.ceil(x)) if kind == "int" else x
                for kind, x in zip(form.split("-"), point, strict=True)
            ]
            yield (node.op, form), tuple(ints)


def _known(f: Failure, k: int) -> float:
    """The upstream gradient of a consumer, nan where it cannot be read."""
    g = f.run.grad[k]
    return math.nan if g is None else g


def _root_op(run: Run) -> str | None:
    """The op that made the root, None for a leaf."""
    node = None if run.root is None else run.program.producer(run.root)
    return None if node is None else node.op


def _value(op: str, point: Point) -> float:
    """PyTorch's value at special operands."""
    given = dict(VOCABULARY[op].settings[0])
    kept = KeptLocals().value(0, Node(op, (), given), point)
    return local(op, given, [[x] for x in point], [1.0]).values[0] if kept is None else kept


def _suspects(f: Failure) -> list[int]:
    """The consumers that feed a failing sum; where their gradients cannot be read, all users of the value."""
    direct = [k for k, _ in f.feeders]
    if all(f.run.grad[k] is not None for k in direct):
        return direct
    users = {f.value}
    for k, node in f.run.program.nodes():
        if users & set(node.operands):
            users.add(k)
    return sorted(users - {f.value})


def _point(f: Failure, k: int) -> Point:
    node = f.run.program.producer(k)
    assert node is not None
    return f.run.program.operand_data(node, f.run.made)


def _special_crash(o: Outcome) -> bool:
    """Whether a case that raised applies an op at a point where not every engine can be expected to work."""
    program = o.case.program
    if o.case.level not in ("edge", "numerics"):
        return False
    node = program.node(0)
    point = program.operand_data(node, program.inputs)
    row = VOCABULARY[node.op]
    return not row.ordinary(point) and row.kink(point) is None


def _crashing_rule(o: Outcome) -> Rule | None:
    """The rule at which a case raised; in backward, the case's first op where it is about one op."""
    crash, program = o.answer.crash, o.case.program
    if crash is None:
        return None
    node = None if crash.node is None else program.producer(crash.node)
    if node is None and o.case.level in ("edge", "numerics", "gradient", "coerce") and program.ops:
        node = program.node(0)
    return None if node is None else (node.op, program.form(node))
