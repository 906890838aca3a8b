"""Causes from one finished run alone, for graphs that must not be touched: nothing is probed, nothing is called.

What probes would settle stays open here: a sum that lacks a push is said to be overwritten, any other sum of
several pushes that is wrong while its rules are right elsewhere is said to be a fault of the traversal.
"""

from __future__ import annotations

import itertools
import math

from oracle.floats import U
from oracle.judge.equations import Checked, Failure, close
from oracle.judge.fault import Fault
from oracle.judge.probe import Measured, Pushed, Valued
from oracle.report import Severity


def blame(checked: Checked) -> tuple[list[Fault], list[Failure]]:
    """The faults that a run shows, and the failures that none of them accounts for."""
    faults: dict[tuple[object, ...], Fault] = {}
    unexplained: list[Failure] = []
    shared: list[Failure] = []
    for failure in checked.failures:
        if failure.equation == 3:
            _note(faults, Fault("seed", "wrong"), failure)
        elif failure.equation == 2:
            rule = checked.run.rule(failure.value)
            fault = _note(faults, Fault("forward", _severity(failure), rule[0], rules=[rule]), failure)
            fault.measured = fault.measured or Measured(rule)
            point = checked.run.point(failure.value)
            fault.measured.values.append(
                Valued(point, failure.observed, failure.expected, False, failure.imprecise)
            )
        elif failure.equation == 1:
            unexplained.append(failure)
        elif len(failure.feeders) == 1:
            _single(faults, checked, failure)
        else:
            shared.append(failure)
    for failure in shared:
        if not _shared(faults, checked, failure):
            unexplained.append(failure)
    return list(faults.values()), unexplained


def _single(faults: dict[tuple[object, ...], Fault], checked: Checked, failure: Failure) -> None:
    """A gradient that one op alone pushed: the rule of that op is wrong."""
    ((k, slot),) = failure.feeders
    rule = checked.run.rule(k)
    fault = _note(faults, Fault("derivative", _severity(failure), rule[0], slot, [rule]), failure)
    fault.measured = fault.measured or Measured(rule)
    fault.measured.pushes.append(
        Pushed(
            checked.run.point(k),
            slot,
            "in place",
            checked.run.grad[k] or 0.0,
            checked.run.made[k],
            failure.observed,
            failure.expected,
            False,
            failure.imprecise,
        )
    )


def _shared(faults: dict[tuple[object, ...], Fault], checked: Checked, failure: Failure) -> bool:
    """A sum of several pushes: by a rule already found wrong, overwritten, or out of order."""
    feeding = [(checked.run.rule(k), slot) for k, slot in failure.feeders]
    blamed = [
        fault
        for fault in faults.values()
        for rule, slot in feeding
        if fault.kind == "derivative" and rule in fault.rules and fault.slot in (None, slot)
    ]
    if blamed:
        for fault in dict.fromkeys(map(id, blamed)):
            next(f for f in blamed if id(f) == fault).note(checked.run.case, failure)
        return True
    kept = _kept(failure)
    if kept is None:
        _note(faults, Fault("schedule", _severity(failure)), failure)
        return True
    rule = checked.run.rule(kept[0])
    _note(
        faults,
        Fault("accumulation", "wrong", rule[0], kept[1], [rule], Measured(rule), "overwrite"),
        failure,
    )
    return True


def _kept(failure: Failure) -> tuple[int, int] | None:
    """The (consumer, slot) whose push survived, if the observed number is some of the pushes but not all."""
    shares = list(zip(failure.feeders, failure.shares, strict=True))
    if len(shares) > 12:
        return None
    for n in range(1, len(shares)):
        for some in itertools.combinations(shares, n):
            total = math.fsum(x for _, x in some)
            if close(failure.observed, total, 4 * len(some) * U * sum(abs(x) for _, x in some)):
                return some[0][0]
    return None


def _note(faults: dict[tuple[object, ...], Fault], fault: Fault, failure: Failure) -> Fault:
    known = faults.setdefault((fault.kind, fault.op, fault.slot, tuple(fault.rules)), fault)
    if fault.severity == "wrong":
        known.severity = "wrong"
    known.note(failure.run.case, failure)
    return known


def _severity(failure: Failure) -> Severity:
    if not failure.ordinary:
        return "policy"
    return "imprecise" if failure.imprecise else "wrong"
