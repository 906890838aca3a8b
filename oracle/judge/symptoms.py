"""Symptoms: what the probes of one rule say is wrong with it, and when all rules say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from oracle.judge.mistakes import naive_slope, naive_value
from oracle.judge.probe import Measured, Pushed, Rule
from oracle.report import Kind
from oracle.suite.rules import WRAPPING, WRAPS

DETACHED = "detached"
"""The detail of a rule that gives an operand its gradient, but does not tell the graph that it was used."""


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
    if measured.crashes or _clashes(measured):
        found.append(Symptom("raises"))
    wrong_values = [v for v in measured.values if not v.ok]
    if wrong_values:
        naive = naive_value(measured.rule[0], measured.values)
        little = naive is not None or all(v.imprecise for v in wrong_values)
        found.append(Symptom("forward", None, little, naive or ""))
    slots = sorted({p.slot for p in measured.pushes})
    for slot in slots:
        wrong = wrong_pushes(measured, slot)
        if wrong:
            naive = naive_slope(measured.rule[0], slot, [p for p in measured.pushes if p.slot == slot])
            little = naive is not None or all(p.imprecise for p in wrong)
            found.append(Symptom("derivative", slot, little, naive or ""))
    for slot in sorted({s.slot for s in measured.shared}):
        unlike = [s for s in measured.shared if s.slot == slot and not s.ok]
        if any(s.lost_other for s in unlike):
            found.append(Symptom("accumulation", slot, detail="overwrite"))
        elif len({s.join.strip("ao ") for s in unlike}) > 1 and not wrong_pushes(measured, slot):
            found.append(Symptom("accumulation", slot, detail="depends"))
    for slot in sorted({f.slot for f in measured.fed}):
        fed = [f for f in measured.fed if f.slot == slot]
        if all(f.got and not f.passed for f in fed) and not _wrong_alone(measured, slot):
            found.append(Symptom("schedule", slot, detail=DETACHED))
    if (
        any(not s.ok for s in measured.same)
        and not wrong_values
        and not any(s.kind == "accumulation" for s in found)
    ):
        found.append(Symptom("accumulation", None, detail="same-operand"))
    return tuple(found)


def _clashes(measured: Measured) -> bool:
    """Whether the rule raises where a gradient is there already; it is not the root's doing, whose op it may be."""
    return len({join.strip("ao ") for join, _, _ in measured.clashes}) > 1


def _wrong_alone(measured: Measured, slot: int) -> bool:
    return any(p.wrap == "alone" and not p.ok for p in measured.pushes if p.slot == slot)


def without_lost_wraps(
    measured: Mapping[Rule, Measured], found: Mapping[Rule, tuple[Symptom, ...]]
) -> dict[Rule, tuple[Symptom, ...]]:
    """The symptoms again, where a rule that a wrap puts on top does not tell the graph of the op below it.

    What a rule is said to push there is none of its doing: it is never asked to. Takes those pushes out of
    `measured`.
    """
    detached = {(*rule, s.slot) for rule, several in found.items() for s in several if s.detail == DETACHED}
    lost = {wrap for wrap, rule in WRAPPING.items() if rule in detached}
    out = dict(found)
    for rule, m in measured.items() if lost else ():
        m.pushes = [p for p in m.pushes if p.wrap not in lost]
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
    slots = [(m.rule, slot) for m in pushing for slot in {p.slot for p in m.pushes}]
    derivative = {
        (rule, s.slot) for rule, several in found.items() for s in several if s.kind == "derivative"
    }
    if all(key in derivative for key in slots):
        return Everywhere("derivative", "every rule")
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


def _silent(pushing: Iterable[Measured]) -> bool:
    """Right at the root (for ops that are not composed), and nothing is passed on below it, whatever the op."""
    pushes = [p for m in pushing for p in m.pushes if p.expected != 0.0]
    below = [p for p in pushes if p.wrap != "alone"]
    right = {m.rule[0] for m in pushing if all(p.ok for p in m.pushes if p.wrap == "alone")}
    return len(right) > 1 and bool(below) and all(p.observed == 0.0 for p in below)
