"""One case again, every value of it: the subject's number, what its own inputs call for, and PyTorch's."""

from __future__ import annotations

from collections.abc import Sequence

from oracle.case import Case
from oracle.floats import U, short
from oracle.judge import policies
from oracle.judge.example import reference
from oracle.judge.network.asked import Asked, at
from oracle.judge.network.expected import choose, expect, of_layers
from oracle.judge.probe import Outcome, ask
from oracle.judge.traits import learn
from oracle.listing import expression
from oracle.subjects import Subject
from oracle.suite.networks import NETWORKS

HEAD = ("value", "expression", "what", "yours", "by its own inputs", "PyTorch", "")


def replay(subject: Subject, case: Case) -> str:
    """Run one case on the subject and lay out every number of every Observe. Equal numbers are shown once."""
    (outcome,) = ask(subject, [case], learn(subject).traits)
    lines = [f"{case.name}: {case.reason}" if case.reason else case.name]
    answer = outcome.answer
    if answer.crash is not None:
        at = "" if answer.crash.line is None else f" at line {answer.crash.line}"
        lines.append(f"{answer.crash.type} in {answer.crash.during}{at}: {answer.crash.message}")
    elif answer.unsupported is not None:
        lines.append(f"the engine does not offer {answer.unsupported}")
    elif answer.lost is not None:
        lines.append(f"no answer: {answer.lost}. {answer.detail}")
    else:
        lines += _tables(outcome)
    return "\n".join([*lines, *_network(subject, case)])


def _network(subject: Subject, case: Case) -> list[str]:
    """The same by the subject's own MLP, where the case is a network and it has one."""
    network = NETWORKS.get(case.name)
    if network is None or policies.NETWORK not in subject.capabilities:
        return []
    asked = Asked(case, network, subject.network(network))
    answer = asked.answer
    made = f"its own {subject.found.get('network', 'network')}"
    if not answer.outputs:
        why = answer.crash.said if answer.crash is not None else answer.detail
        return ["", f"{made}: no numbers; {why or 'it is not of that shape'}"]
    choice = choose([asked])
    expected = None if choice is None else expect(asked, of_layers(asked, choice), U)
    rows = [("what", "yours", "PyTorch", "")]
    wrong = set() if expected is None else set(expected.wrong_outputs(asked))
    for n, yours in enumerate(answer.outputs):
        right = None if expected is None else expected.outputs[n]
        rows.append((f"output {n + 1}", *_pair(yours, right), _mark(expected is not None, n in wrong)))
    off = set() if expected is None else set(expected.wrong_gradients(asked))
    for slot in asked.parameters:
        right = None if expected is None else at(expected.grad, slot)
        pair = _pair(at(answer.gradients, slot), right)
        rows.append((f"gradient of {asked.name(slot)}", *pair, _mark(expected is not None, slot in off)))
    applied = "unknown activations"
    if choice is not None:
        applied = (
            f"{choice[0]} in hidden layers, {choice[1]} in the last" if asked.layers > 1 else str(choice[1])
        )
    return ["", f"{made}, with {applied}", *_laid_out(rows)]


def _pair(yours: float | None, right: float | None) -> tuple[str, str]:
    return "-" if yours is None else short(yours, right), "-" if right is None else short(right, yours)


def _mark(known: bool, wrong: bool) -> str:
    return ("✗" if wrong else "✓") if known else ""


def _laid_out(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _tables(outcome: Outcome) -> list[str]:
    world = reference(outcome.case)
    lines = []
    for checked in outcome.checked:
        run = checked.run
        root = "no backward" if run.root is None else f"backward on {run.program.name(run.root)}"
        lines += ["", f"look {run.number + 1}, after {root}"]
        failed = {(f.value, f.what): f for f in checked.failures}
        rows = [HEAD]
        seen, before = world[run.number], world[run.number - 1] if run.number else None
        for i in range(len(run.program)):
            node = run.program.producer(i)
            made = "" if node is None else expression(run.program, node)
            wrong = ("✗" if (i, "data") in failed else "✓", "✗" if (i, "grad") in failed else "✓")
            data, local, torch = _shown(run.made[i], checked.data[i], seen.data[i])
            rows.append((run.program.name(i), made, "data", data, local, torch, wrong[0]))
            owed, whole = checked.grad[i], seen.grad[i]
            if before is not None and whole is not None:
                whole -= before.grad[i] or 0.0
            g, local, torch = _shown(run.grad[i], owed, whole)
            rows.append(("", "", "grad", g, local, torch, wrong[1]))
        lines += _laid_out(rows)
    return lines


def _shown(yours: float | None, local: float | None, torch: float | None) -> tuple[str, str, str]:
    """Three numbers in enough digits to tell each from the subject's; "-" for none."""
    first = "-" if yours is None else short(yours, local)
    return first, *("-" if x is None else short(x, yours) for x in (local, torch))  # type: ignore[return-value]
