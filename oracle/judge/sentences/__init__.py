"""The sentences for a fault, with the mistake named where the catalogue reproduces its numbers."""

from __future__ import annotations

from collections.abc import Mapping

from oracle.judge import policies
from oracle.judge.fault import Fault
from oracle.judge.sentences.base import Words, title
from oracle.judge.sentences.graph import accumulation, lifecycle, resource, schedule, seed
from oracle.judge.sentences.rules import derivative, forward
from oracle.judge.sentences.stops import missing, raises


def words(fault: Fault, form: str | None, near_misses: Mapping[str, str]) -> Words:
    """The sentence for a fault, with the mistake named where the catalogue reproduces its numbers."""
    op = title(fault.op, form)
    if fault.policy is not None:
        return _policy(fault, op)
    return _SENTENCES[fault.kind](fault, op, near_misses)


def _policy(fault: Fault, op: str) -> Words:
    assert fault.policy is not None
    torch = policies.POLICIES[fault.policy]
    subject = "the engine" if fault.op is None else op
    if fault.crash is not None:
        message = f"{subject} raises {fault.crash.type}; in PyTorch {torch}"
    elif fault.kind == "resource":
        message = f"{subject} gives no answer ({fault.detail}); in PyTorch {torch}"
    else:
        message = f"{subject} differs; in PyTorch {torch}"
    hint = f"A choice, not a bug: in PyTorch {torch}."
    return Words(fault.policy, message, (hint, hint, hint))


_SENTENCES = {
    "forward": forward,
    "derivative": derivative,
    "accumulation": accumulation,
    "schedule": schedule,
    "seed": seed,
    "lifecycle": lifecycle,
    "missing": missing,
    "raises": raises,
    "resource": resource,
}
