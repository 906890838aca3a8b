"""Checking a subject against the suite: run, judge, and put together the report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from oracle import suite, torch_reference
from oracle.case import Case
from oracle.judge import policies
from oracle.judge.blame import judge_subject
from oracle.judge.causes import Demands, causes
from oracle.judge.equations import Exercise
from oracle.judge.fault import Fault, Judgement
from oracle.judge.network import NetworkFault, NetworkJudgement, judge_networks, unjudged
from oracle.judge.probe import Outcome
from oracle.report import CaseResult, Cause, OpResult, Report, SubjectInfo
from oracle.subjects import Subject
from oracle.version import VERSION
from oracle.vocabulary import VOCABULARY

FORWARD = ("forward", "coerce")
"""Levels that say something of an engine without a working backward: of its values only."""


def check(subject: Subject, cases: Sequence[Case], demands: Demands, seed: str = "") -> Report:
    """Run the cases on a subject, judge the answers, and report. The exit code is decided here."""
    began = time.monotonic()
    if not subject.has_backward:
        cases = [case for case in cases if case.level in FORWARD]
    judgement = judge_subject(subject, cases)
    network = _network(subject, judgement, cases, demands)
    found, faults = causes(subject, judgement, demands)
    results = tuple(
        _result(
            o, judgement.blamed.get(o.case.name, []), found, faults, o.case.name in judgement.flips, network
        )
        for o in judgement.outcomes
    )
    error = None
    exit_code = _exit_code(found, results, len(judgement.unexplained))
    if not subject.has_backward:
        exit_code = 3
        error = "the engine computes values but has no working backward, so no gradient could be checked"
    elif _blind(judgement):
        exit_code = 3
        error = "after backward no value says what its gradient is, so none could be checked"
    return Report(
        SubjectInfo(
            subject.name,
            subject.target,
            subject.language,
            subject.sha256,
            subject.file,
            dict(subject.found) | ({"network": network.said} if network.said else {}),
        ),
        VERSION,
        suite.VERSION,
        torch_reference.version(),
        subject.isolation,
        demands.profile,
        seed,
        time.monotonic() - began,
        exit_code,
        tuple(found),
        results,
        _ops(subject, judgement),
        len(judgement.unexplained),
        _conventions(judgement),
        (),
        error,
    )


def _blind(judgement: Judgement) -> bool:
    """Whether no gradient but a root's was ever read, though there were some to read."""
    rooted = [c.run for o in judgement.outcomes for c in o.checked if c.run.root is not None]
    below = [g for run in rooted for i, g in enumerate(run.grad) if i != run.root]
    return bool(below) and all(g is None for g in below)


def _network(
    subject: Subject, judgement: Judgement, cases: Sequence[Case], demands: Demands
) -> NetworkJudgement:
    """Judge the subject's own network, if it has one, and add its faults to the engine's."""
    if not subject.has_backward:
        return NetworkJudgement()
    network = judge_networks(subject, judgement, cases)
    if policies.NETWORK in demands.required and not network.judged:
        network = replace(network, faults=(unjudged(network, cases),))
    judgement.faults.extend(network.faults)
    for fault in network.faults:
        for case, _ in fault.evidence:
            judgement.blamed.setdefault(case.name, []).append(fault)
    return network


def requirements(text: str) -> frozenset[str]:
    """The names in a list for `Demands.required`: ops, forms, op:form, policies and "mlp", by comma. Raises
    ValueError."""
    names = frozenset(filter(None, (part.strip() for part in text.split(","))))
    for name in names:
        op, _, form = name.partition(":")
        known = name in VOCABULARY or name in policies.POLICIES or name in (*policies.FORMS, policies.NETWORK)
        if not known and not (op in VOCABULARY and form in policies.FORMS):
            raise ValueError(
                f"{name}: expected an op ({', '.join(list(VOCABULARY)[:5])}, …), a form "
                f"({', '.join(policies.FORMS)}), op:form, a policy "
                f"({', '.join(policies.POLICIES)}), or {policies.NETWORK}"
            )
    return names


def _exit_code(found: Sequence[Cause], results: Sequence[CaseResult], unexplained: int) -> int:
    if any(cause.demanded for cause in found) or unexplained:
        return 1
    blamed = {name for cause in found for name in cause.cases}
    if any(r.outcome in ("error", "timeout", "nondeterministic") and r.name not in blamed for r in results):
        return 1
    if not any(r.outcome in ("pass", "imprecise", "policy") for r in results):
        return 5
    return 0


def _result(
    outcome: Outcome,
    blamed: Sequence[Fault],
    found: Sequence[Cause],
    faults: Sequence[Fault],
    flips: bool,
    network: NetworkJudgement,
) -> CaseResult:
    """The outcome of one case in a word, with the causes it fails by."""
    case, answer = outcome.case, outcome.answer
    indices = tuple(n for n, fault in enumerate(faults) if any(fault is b for b in blamed))
    severities = {found[n].severity for n in indices}
    detail = ""
    if answer.crash is not None:
        detail = answer.crash.said
    elif answer.lost:
        detail = answer.detail
    own = [n for n in indices if isinstance(faults[n], NetworkFault) and found[n].severity == "wrong"]
    if answer.unsupported is not None and own:
        word = "fail"
    elif answer.unsupported is not None and case.name in network.agreed:
        word, detail = "pass", f"by the network: the engine has no {answer.unsupported}"
    elif answer.unsupported is not None:
        word, detail = "unsupported", answer.unsupported
    elif flips and not severities <= {"policy"}:
        word, detail = "nondeterministic", "two runs in fresh processes were judged differently"
    elif "wrong" in severities:
        word = "fail" if any(_shows(case, found[n], n, faults[n]) for n in indices) else "explained"
    elif "missing" in severities:
        word = "unsupported" if not any(found[n].demanded for n in indices) else "fail"
    elif "imprecise" in severities:
        word = "imprecise"
    elif "policy" in severities:
        word = "policy"
    elif answer.lost == "timeout":
        word = "timeout"
    elif answer.lost or answer.crash is not None:
        word = "error"
    elif any(c.failures for c in outcome.checked):
        word = "fail"
    else:
        word = "pass"
    return CaseResult(case.name, case.level, word, indices, detail, answer.seconds)


def _shows(case: Case, cause: Cause, n: int, fault: Fault) -> bool:
    """Whether a case shows the cause itself: at the lowest level that fails by it, with the op that is to blame."""
    order = [*suite.LEVELS, "fuzz"]
    lowest = min(order.index(c.level) for c, _ in fault.evidence)
    if order.index(case.level) > lowest:
        return False
    return cause.op is None or any(node.op == cause.op for _, node in case.program.nodes())


def _ops(subject: Subject, judgement: Judgement) -> dict[str, OpResult]:
    """What was offered, what was exercised, and how far off it was at most."""
    seen = judgement.exercised
    out = {}
    for name, row in VOCABULARY.items():
        if name not in subject.ops:
            out[name] = OpResult(False)
            continue
        needed = [Exercise(name, form, slot) for form, slot in _needed(subject, row.name)]
        values = [error for key, error in seen.items() if key.op == name and key.slot is None]
        grads = [error for key, error in seen.items() if key.op == name and key.slot is not None]
        out[name] = OpResult(
            True,
            bool(values) and all(any(k in seen for k in _alternatives(need)) for need in needed),
            max(values, default=0.0),
            max(grads, default=0.0),
        )
    return out


def _needed(subject: Subject, op: str) -> list[tuple[str, int]]:
    row = VOCABULARY[op]
    if op == "pow":
        return [("value-number", 0)]
    return [(row.forms[0], slot) for slot in range(row.arity) if not row.flat(slot)]


def _alternatives(need: Exercise) -> list[Exercise]:
    forms = [need.form] if "number" not in need.form else ["value-int", "value-float", "value-value"]
    return [Exercise(need.op, form, need.slot) for form in forms]


def _conventions(judgement: Judgement) -> dict[str, str]:
    out = {}
    for kinky in judgement.learned.kinks:
        kink = VOCABULARY[kinky.op].kinks[kinky.index]
        at = ", ".join(f"{x:g}" for x in kink.point)
        if kinky.valid:
            out[kinky.op] = f"slope {kinky.weight:g} at {at}, where PyTorch takes {kink.torch:g}"
    return out
