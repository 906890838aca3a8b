"""Symptoms: what the probes of one rule say is wrong with it, and when all rules say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from oracle.judge.mistakes import naive_slope, naive_value, scale
from oracle.judge.probe import JOINS, UNREADABLE, Measured, Pushed, Rule
from oracle.report import Kind
from oracle.suite.rules import WRAPPING, WRAPS

DETACHED = "detached"
"""The detail of a rule that gives an operand its gradient, but does not tell the graph that it was used."""

HUNG = "hung on operand"
"""The detail of a rule that attaches what it pushes to its operand, in place of what that pushes, and not to its
result."""

OUTSIDERS = "outsiders"
"""The detail of an engine whose backward is disturbed by users of a value that do not lead to the root."""

REPEATED = "repeated"
"""The detail of an engine whose backward asks nodes of two operands more than once."""

LOST = (DETACHED, HUNG, OUTSIDERS)
"""Details of faults by which what a value owes to others is not passed on."""


@dataclass(frozen=True)
class Symptom:
    """One thing that is wrong with a rule. slot: the operand concerned, or None."""

    kind: Kind
    slot: int | None = None
    imprecise: bool = False
    detail: str = ""


def symptoms(measured: Measured) -> tuple[Symptom, ...]:
    """Everything that is wrong with one rule, from its probes; empty for a rule that is right."""
    if measured.missing is not None:
        return (Symptom("missing"),)
    found: list[Symptom] = []
    if measured.mutates:
        found.append(Symptom("lifecycle", detail="mutates"))
    if any(crash.type != UNREADABLE for _, crash in measured.crashes) or _clashes(measured):
        found.append(Symptom("raises"))
    wrong_values = [v for v in measured.values if not v.ok]
    if wrong_values:
        naive = naive_value(measured.rule[0], measured.values)
        little = naive is not None or all(v.imprecise for v in wrong_values)
        found.append(Symptom("forward", None, little, naive or ""))
    elif _unreadable(measured, "forward"):
        found.append(Symptom("forward", detail=UNREADABLE))
    slots = sorted({p.slot for p in measured.pushes})
    for slot in slots:
        wrong = wrong_pushes(measured, slot)
        if wrong:
            naive = naive_slope(measured.rule[0], slot, [p for p in measured.pushes if p.slot == slot])
            little = naive is not None or all(p.imprecise for p in wrong)
            found.append(Symptom("derivative", slot, little, naive or ""))
    if _unreadable(measured, "backward") and not any(s.kind == "derivative" for s in found):
        found.append(Symptom("derivative", detail=UNREADABLE))
    for slot in sorted({s.slot for s in measured.shared}):
        unlike = [s for s in measured.shared if s.slot == slot and not s.ok]
        if any(s.lost_other for s in unlike):
            found.append(Symptom("accumulation", slot, detail="overwrite"))
        elif len({s.join.strip("ao ") for s in unlike}) > 1 and not wrong_pushes(measured, slot):
            found.append(Symptom("accumulation", slot, detail="depends"))
    for slot in sorted({f.slot for f in measured.fed}):
        fed = [f for f in measured.fed if f.slot == slot]
        if all(f.got and not f.passed for f in fed) and not wrong_alone(measured, slot):
            found.append(Symptom("schedule", slot, detail=DETACHED))
    hung = [Symptom("schedule", slot, detail=HUNG) for slot in _disturbed(measured)]
    if hung:  # what else is lost when operands are shared is lost so
        found = [s for s in found if s.kind not in ("accumulation", "schedule")] + hung
    if (
        any(not s.ok for s in measured.same)
        and not hung
        and not wrong_values
        and not any(s.kind == "accumulation" for s in found)
    ):
        found.append(Symptom("accumulation", None, detail="same-operand"))
    return tuple(found)


def _disturbed(measured: Measured) -> list[int]:
    """The operands whose own gradients go wrong when the rule is applied to them, though that leads to no root."""
    disturbed = Counter(i.slot for i in measured.idle if i.apart and not i.beside)
    return sorted(slot for slot, times in disturbed.items() if times > 1)


def _unreadable(measured: Measured, during: str) -> bool:
    """Whether what is no number came out, or was pushed."""
    return any(c.type == UNREADABLE and c.during == during for _, c in measured.crashes)


def _clashes(measured: Measured) -> bool:
    """Whether the rule raises where a gradient is there already; it is not the root's doing, whose op it may be."""
    return len({join.strip("ao ") for join, _, _ in measured.clashes}) > 1


def wrong_alone(measured: Measured, slot: int) -> bool:
    """Whether a rule at the root pushes to an operand what is wrong."""
    return any(p.wrap == "alone" and not p.ok for p in measured.pushes if p.slot == slot)


def losing_operands(found: Mapping[Rule, tuple[Symptom, ...]]) -> set[tuple[Rule, int]]:
    """The rules, and which of their operands, by which what such an operand owes to others is not passed on. What is
    attached to one operand is pushed at that one's turn, which may be too late for the other."""
    out = {(rule, s.slot or 0) for rule, several in found.items() for s in several if s.detail == DETACHED}
    hung = [rule for rule, several in found.items() if any(s.detail == HUNG for s in several)]
    return out | {(rule, slot) for rule in hung for slot in range(len(rule[1].split("-")))}


def without_lost_wraps(
    measured: Mapping[Rule, Measured], found: Mapping[Rule, tuple[Symptom, ...]]
) -> dict[Rule, tuple[Symptom, ...]]:
    """The symptoms again, where a rule that a wrap or a join puts on top does not tell the graph of the op below it.

    What a rule is said to push there is none of its doing: it is never asked to. Takes those pushes out of
    `measured`.
    """
    losing = losing_operands(found)
    lost = {wrap for wrap, (op, form, slot) in WRAPPING.items() if ((op, form), slot) in losing}
    joins = {op for (op, form), _ in losing if form == "value-value"}
    unheard = {name for name, op, _ in JOINS if op in joins}
    out = dict(found)
    for rule, m in measured.items() if lost or unheard else ():
        m.pushes = [p for p in m.pushes if p.wrap not in lost]
        m.shared = [s for s in m.shared if s.join not in unheard]
        out[rule] = symptoms(m)
    return out


def wrong_pushes(measured: Measured, slot: int) -> list[Pushed]:
    """The pushes to an operand that are wrong at points where the rule is: alone, or under two upstreams.

    One upstream alone is not enough: the op that makes it may be the broken one. Where upstream gradients
    cannot be read, all of them have to agree.
    """
    out: list[Pushed] = []
    for point in dict.fromkeys(p.point for p in measured.pushes):
        here = [p for p in measured.pushes if p.slot == slot and p.point == point]
        wrong = [p for p in here if not p.ok]
        alone = [p for p in wrong if p.wrap == "alone"]
        if all(p.seen for p in here):
            out.extend(wrong if alone or len(wrong) >= 2 else ())
        else:
            out.extend(alone or (wrong if len(wrong) == len(WRAPS) - 1 else ()))
    return out


def telling_pushes(measured: Measured, slot: int) -> list[Pushed]:
    """The pushes of one operand that say how its rule goes wrong: without those through a doubtful upstream."""
    pushes = [p for p in measured.pushes if p.slot == slot]
    alone = [p for p in pushes if p.wrap == "alone"]
    if all(p.seen for p in pushes) or all(p.ok for p in alone):
        return pushes
    return alone


@dataclass(frozen=True)
class Everywhere:
    """A fault of the whole engine: every rule shows it."""

    kind: Kind
    detail: str


def everywhere(
    measured: Mapping[Rule, Measured], found: Mapping[Rule, tuple[Symptom, ...]]
) -> Everywhere | None:
    """Whether all offered rules fail in one way, so that the engine is at fault and not each of them."""
    offered = [m for rule, m in measured.items() if not any(s.kind == "missing" for s in found[rule])]
    pushing = [m for m in offered if m.pushes]
    if len({m.rule[0] for m in pushing}) < 2:
        return None
    if _silent(pushing):
        return Everywhere("schedule", "not passed on")
    two = [times(m) for m in pushing if m.rule[1] == "value-value"]
    # Where none can see it, a root that starts at another number makes all pushes that multiple of the right ones.
    even = scale(p for m in pushing for p in m.pushes if p.expected)
    if sum(k > 1 for k in two) > 1 and 1 not in two and even is None:
        return Everywhere("schedule", REPEATED)
    slots = [(m.rule, slot) for m in pushing for slot in {p.slot for p in m.pushes}]
    derivative = {
        (rule, s.slot) for rule, several in found.items() for s in several if s.kind == "derivative"
    }
    if all(key in derivative for key in slots):
        return Everywhere("derivative", "every rule")
    hung = {(rule, s.slot) for rule, several in found.items() for s in several if s.detail == HUNG}
    idle = {(m.rule, i.slot) for m in offered for i in m.idle if i.apart}
    if len({rule[0] for rule, _ in hung}) > 1 and hung == idle:
        every = any(slot == 1 for _, slot in idle)
        return Everywhere("schedule", OUTSIDERS if every else HUNG)
    left = {(rule, slot) for rule, slot in idle if slot == 0 and rule[1].startswith("value")}
    if len({rule[0] for rule, _ in hung}) > 2 and hung >= left:
        return Everywhere("schedule", HUNG)
    detached = {(rule, s.slot) for rule, several in found.items() for s in several if s.detail == DETACHED}
    if len({rule[0] for rule, _ in detached}) > 2 and any(
        all((m.rule, slot) in detached for m in offered if m.rule[1] == "value-value" and m.fed)
        for slot in (0, 1)
    ):
        return Everywhere("schedule", "operands lost")
    shared = [(m.rule, slot) for m in offered for slot in {s.slot for s in m.shared if s.own and s.other}]
    overwriting = {
        (rule, s.slot) for rule, several in found.items() for s in several if s.detail == "overwrite"
    }
    if shared and all(key in overwriting for key in shared):
        return Everywhere("accumulation", "overwrite")
    return None


def times(measured: Measured) -> int:
    """How often a rule at the root pushes all that it owes; 0 where that is no number of times."""
    factor = scale(p for p in measured.pushes if p.wrap == "alone")
    return 0 if factor is None or factor < 1 or factor != round(factor) else round(factor)


def _silent(pushing: Iterable[Measured]) -> bool:
    """Right at the root (for ops that are not composed), and nothing is passed on below it, whatever the op."""
    pushes = [p for m in pushing for p in m.pushes if p.expected != 0.0]
    below = [p for p in pushes if p.wrap != "alone"]
    right = {m.rule[0] for m in pushing if all(p.ok for p in m.pushes if p.wrap == "alone")}
    return len(right) > 1 and bool(below) and all(p.observed == 0.0 for p in below)
