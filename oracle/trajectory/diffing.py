"""`oracle diff`: run a script with its own engine, judge every backward and every update, and report."""

from __future__ import annotations

import hashlib
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from oracle import torch_reference
from oracle.judge.causes import Demands
from oracle.judge.equations import Checked, Failure
from oracle.judge.example import example, pick
from oracle.judge.fault import Fault
from oracle.judge.probe import Rule
from oracle.judge.sentences import words
from oracle.report import CaseResult, Cause, Example, Report, SubjectInfo
from oracle.subjects import LoadError
from oracle.trajectory.adaptive import MISTAKEN
from oracle.trajectory.beside import Beside, meant, told
from oracle.trajectory.confirm import Confirmed, confirm, rules_of
from oracle.trajectory.events import BackwardCall, Ended, Interval
from oracle.trajectory.findings import ROWS, listed
from oracle.trajectory.follow import Trajectory
from oracle.trajectory.mistakes import SMALL, order, training_cause
from oracle.trajectory.steps import Judged, Step, Word, case_name, judge_call, reused
from oracle.trajectory.stream import Script
from oracle.version import VERSION

ISOLATION = "none: your own script"

OUTCOMES: dict[Word, str] = {
    "ok": "pass",
    "wrong": "fail",
    "training": "fail",
    "imprecise": "imprecise",
    "differs by choice": "policy",
    "not judged": "not run",
}


@dataclass(frozen=True)
class Diffed:
    """What came of a script.

    report   as for `check`, one case for each backward call
    drawn    the same with the first bad backward as the example of each cause, for pictures
    printed  the end of what the script printed
    """

    report: Report
    drawn: Report
    printed: str


@dataclass
class _Seen:
    """What is kept of a run: counts, and the first bad call with its equations."""

    steps: list[Step] = field(default_factory=list)
    failures: list[tuple[str, Failure]] = field(default_factory=list)
    wrong: int = 0
    faults: dict[tuple[object, ...], tuple[Fault, Checked]] = field(default_factory=dict)
    first: tuple[BackwardCall, Checked] | None = None
    raised: BackwardCall | None = None
    calls: dict[str, tuple[BackwardCall, Checked | None]] = field(default_factory=dict)
    used: set[Rule] = field(default_factory=set)
    unexplained: int = 0
    open: tuple[BackwardCall, Judged, list[str]] | None = None
    beside: Beside = field(default_factory=Beside)
    notes: dict[str, None] = field(default_factory=dict)
    engine: tuple[str, str | None, str] | None = None


def diff_script(
    path: Path,
    argv: Sequence[str] = (),
    demands: Demands | None = None,
    *,
    timeout: float = 120.0,
    steps: int | None = None,
    on_step: Callable[[Step], None] | None = None,
) -> Diffed:
    """Run a script or notebook and judge what its engine does in it.

    argv     what the script finds in sys.argv after its own name
    timeout  seconds for the script; what it did until then is judged, as when it is interrupted (Ctrl-C)
    steps    end it after so many backward calls
    on_step  told every backward call as it is judged

    Raises LoadError when the file cannot be run at all. The exit code is 0, 1, 3 when the script fails before
    anything wrong was seen, or 5 when it makes no backward call.
    """
    began = time.monotonic()
    if path.suffix not in (".py", ".ipynb") or not path.is_file():
        raise LoadError(f"{path}: expected a script (.py) or a notebook (.ipynb)")
    script = Script(path, argv, timeout=timeout, steps=steps)
    demands = demands or Demands()
    seen, trajectory = _Seen(), Trajectory()
    end = Ended("died")
    try:
        for event in script.events():
            if isinstance(event, Ended):
                end = event
            else:
                _call(seen, trajectory, event, on_step)
    except KeyboardInterrupt:
        end = Ended("stopped")
        script.close()
    _close(seen, trajectory, end.interval, (), on_step)
    _finish(seen, trajectory)
    _end_notes(seen, trajectory, end, path, timeout)
    return _report(seen, trajectory, end, path, argv, demands, began, script.output)


def _call(
    seen: _Seen, trajectory: Trajectory, call: BackwardCall, on_step: Callable[[Step], None] | None
) -> None:
    """A backward call: it ends the step before, and opens its own."""
    moved = tuple(call.serials[i] for i in call.moved)
    _close(seen, trajectory, call.interval, moved, on_step)
    judged = judge_call(call)
    shown = trajectory.backward(call, judged.resets)
    seen.open = (call, judged, shown)
    seen.engine = call.engine
    if call.program is not None and not (seen.steps and seen.steps[-1].size == call.size):
        program = call.program
        seen.used.update((node.op, program.form(node)) for _, node in program.nodes())
    if call.raised is not None:
        seen.raised = seen.raised or call
    if call.unknown:
        seen.notes[
            "some values come from ops that are not in the vocabulary; what lies below them is not judged"
        ] = None
    if judged.resets:
        seen.notes[
            "backward sets the gradients that are there to 0, where PyTorch adds to them (a policy, no mistake here)"
        ] = None
    if judged.checked is not None and (judged.unexplained or _wrong(judged)):
        seen.wrong += 1
        if seen.first is None:
            seen.first = (call, judged.checked)
        if len(seen.failures) < 100_000:
            seen.failures += [(case_name(call), f) for f in judged.checked.failures if f.ordinary]
        seen.unexplained += len(judged.unexplained)
        for fault in judged.faults:
            known = seen.faults.setdefault(
                (fault.kind, fault.op, fault.slot, tuple(fault.rules)), (fault, judged.checked)
            )[0]
            if known is not fault:
                known.numbers += fault.numbers


def _close(
    seen: _Seen,
    trajectory: Trajectory,
    interval: Interval,
    moved: Sequence[int],
    on_step: Callable[[Step], None] | None,
) -> None:
    """The step under way is over: what the script set after its backward is known, and told."""
    found, rule, updated = trajectory.update(interval, moved)
    if seen.open is None:
        return
    call, judged, shown = seen.open
    seen.open = None
    seen.beside.take(call, updated, rule)
    shown = [*shown, *found]
    for slug in shown:
        if trajectory.findings[slug].step == call.step + 1:
            seen.calls[slug] = (call, judged.checked)
    word, detail = _word(call, judged, shown)
    update = "" if rule is None else rule.brief
    odd = rule is not None and (rule.rate < 0 or rule.kind in MISTAKEN)
    cell = call.place.file.rpartition(".ipynb#")[2] if ".ipynb#" in call.place.file else ""
    line = f"{cell}:{call.place.line}" if cell else str(call.place.line)
    step = Step(call.step + 1, line, call.loss, judged.torch, call.size, word, detail, update, odd)
    seen.steps.append(step)
    if on_step is not None:
        on_step(step)


def _finish(seen: _Seen, trajectory: Trajectory) -> None:
    """What only the whole run tells, put down at the steps that it concerns."""
    for note in trajectory.finish():
        seen.notes[note] = None
    for finding in trajectory.findings.values():
        word: Word = "training" if finding.row.severity == "wrong" else "differs by choice"
        for n in finding.steps:
            if n <= len(seen.steps) and seen.steps[n - 1].word in ("ok", "not judged"):
                seen.steps[n - 1] = replace(seen.steps[n - 1], word=word, detail=finding.row.brief)
    if seen.wrong or any(finding.row.severity == "wrong" for finding in trajectory.findings.values()):
        _compare(seen, trajectory)


def _compare(seen: _Seen, trajectory: Trajectory) -> None:
    """What a wrong training would have come to in PyTorch."""
    rules = {m.step: m.rule for m in trajectory.measured}
    optimiser = meant(rules, trajectory.betas, trajectory.findings)
    if optimiser is None or not seen.beside.whole:
        return
    torchs = seen.beside.losses(optimiser, trajectory.updated | trajectory.forgotten)
    if said := told([step.loss for step in seen.steps], torchs):
        seen.notes[said] = None


def _wrong(judged: Judged) -> list[Fault]:
    return [fault for fault in judged.faults if fault.severity == "wrong"]


WHERE = {"forward": "made", "derivative": "pushed"}
"""Where a wrong number shows, said while the script runs: whose fault that is, its engine is asked afterwards."""


def _word(call: BackwardCall, judged: Judged, shown: Sequence[str]) -> tuple[Word, str]:
    """The verdict on one backward call."""
    wrong = _wrong(judged)
    if wrong or judged.unexplained:
        assert judged.checked is not None
        n = len(judged.checked.failures)
        where = [
            f"{does} by {', '.join(ops)}"
            for kind, does in WHERE.items()
            if (ops := dict.fromkeys(f.op for f in wrong if f.kind == kind and f.op is not None))
        ]
        return "wrong", ", ".join([f"{n} number{'' if n == 1 else 's'}", *where])
    if shown:
        return "training", ", ".join(dict.fromkeys(ROWS[slug].brief for slug in shown))
    if judged.checked is None:
        return "not judged", judged.why
    if reused(call):
        return "differs by choice" if judged.checked.failures else "ok", "a second backward of this graph"
    severities = {f.severity for f in judged.faults}
    if "imprecise" in severities:
        return "imprecise", ", ".join(dict.fromkeys(f"{f.op} {f.kind}" for f in judged.faults))
    return ("differs by choice", "at a kink or an end of a domain") if "policy" in severities else ("ok", "")


def _end_notes(seen: _Seen, trajectory: Trajectory, end: Ended, path: Path, timeout: float) -> None:
    n = len(seen.steps)
    calls = f"{n} backward call{'' if n == 1 else 's'}"
    how = {
        "timeout": f"did not end within {timeout:g} s and was stopped (--timeout gives it more)",
        "stopped": "was interrupted",
        "steps": "was ended, as asked",
    }.get(end.how)
    if how and n:
        seen.notes[f"{path.name} {how}; {calls} were judged"] = None
    for problem in end.problems:
        seen.notes[problem] = None
    large = sum(step.word == "not judged" and "values: " in step.detail for step in seen.steps)
    if large:
        seen.notes[f"{large} of {calls} were too large, or too many, to judge every value of"] = None
    for rule in trajectory.summary:
        seen.notes[f"measured: {rule}"] = None


# The report ---------------------------------------------------------------------------------------------------


def _report(
    seen: _Seen,
    trajectory: Trajectory,
    end: Ended,
    path: Path,
    argv: Sequence[str],
    demands: Demands,
    began: float,
    printed: str,
) -> Diffed:
    found: list[tuple[Cause, Example | None, set[str]]] = []
    unexplained = 0
    used = {"class": seen.engine[0], "file": seen.engine[1] or "unknown"} if seen.engine else {}
    if argv:
        used["arguments"] = shlex.join(argv)
    if seen.first is not None:
        rules, unexplained = _engine_causes(seen, demands)
        found += rules
    elif seen.raised is not None:
        found += _raising(seen, seen.raised, demands)
    for finding in sorted(trajectory.findings.values(), key=lambda f: f.step):
        found.append(
            training_cause(
                finding, path, demands, len(seen.steps), seen.calls.get(finding.slug), trajectory.updates
            )
        )
    found = [(replace(cause, file=_shown(cause.file, path)), drawn, names) for cause, drawn, names in found]
    causes = tuple(cause for cause, _, _ in found)
    cases = tuple(_case(step, found) for step in seen.steps)
    error, code = _outcome(seen, end, path, bool(unexplained or any(c.demanded for c in causes)), cases)
    report = Report(
        SubjectInfo(
            path.name, str(path), "python", hashlib.sha256(path.read_bytes()).hexdigest(), str(path), used
        ),
        VERSION,
        "diff",
        torch_reference.version(),
        ISOLATION,
        demands.profile,
        "",
        time.monotonic() - began,
        code,
        causes,
        cases,
        {},
        unexplained,
        {},
        tuple(note for note in seen.notes if note != error),
        error,
    )
    drawn = tuple(replace(cause, example=shown or cause.example) for cause, shown, _ in found)
    return Diffed(report, replace(report, causes=drawn), printed)


def _shown(file: str | None, path: Path) -> str | None:
    """A file beside the script, or the script itself, by the way that its user wrote; others in full."""
    if file is None:
        return None
    try:
        return str(path.parent / Path(file).relative_to(path.resolve().parent))
    except ValueError:
        return file


def _outcome(
    seen: _Seen, end: Ended, path: Path, wrong: bool, cases: Sequence[CaseResult]
) -> tuple[str | None, int]:
    """What to say where nothing was judged, and the exit code."""
    if wrong:
        return None, 1
    if end.problems and (path.suffix == ".py" or not seen.steps):
        return end.problems[-1], 3
    if not seen.steps:
        if end.code:
            hint = "; arguments for it go after --" if end.code == 2 else ""
            return f"it ended with exit code {end.code} before any backward call{hint}", 3
        if end.how == "timeout":
            return "it made no backward call in the time that it had (--timeout gives it more)", 5
        if end.how == "stopped":
            return "it was interrupted before any backward call", 5
        if end.classes:
            values = "values" if end.made else "no value"
            return f"it makes {values} of {listed(end.classes)}, and no backward call", 5
        return (
            "no class in it, or in what it imports, looks like an engine's (arithmetic and gradients in Python)",
            5,
        )
    if all(case.outcome == "not run" for case in cases):
        return "no backward call could be judged", 5
    return None, 0


def _case(step: Step, found: Sequence[tuple[Cause, Example | None, set[str]]]) -> CaseResult:
    name = f"diff/step-{step.number}"
    torch = "" if step.torch is None else f", PyTorch's {step.torch!r}"
    detail = f"loss {step.loss!r}{torch}" + (f"; {step.detail}" if step.detail else "")
    causes = tuple(n for n, (_, _, names) in enumerate(found) if name in names)
    return CaseResult(name, "diff", OUTCOMES[step.word], causes, detail)


def _engine_causes(seen: _Seen, demands: Demands) -> tuple[list[tuple[Cause, Example | None, set[str]]], int]:
    """The rules of the engine that are wrong: as probes of it alone say, else as the run itself shows."""
    assert seen.first is not None
    call, _ = seen.first
    answer = confirm(call, seen.used, demands)
    if isinstance(answer, Confirmed) and answer.causes:
        return _confirmed(seen, answer)
    if isinstance(answer, str):
        seen.notes[f"{answer}; causes are told from the run alone, without a line"] = None
    else:
        seen.notes["by itself the engine does this right: what goes wrong depends on the script's run"] = None
    out = []
    for fault, where in seen.faults.values():
        said = words(fault, None, {})
        shown = pick(fault)
        drawn = None if shown is None else example(fault, where, shown[1], {})
        names = {name for name, f in seen.failures if _same(fault, f)}
        cause = Cause(
            fault.kind,
            fault.severity,
            demands.demanded(fault, None),
            fault.op,
            fault.slot,
            None,
            said.mistake,
            said.message,
            None,
            None,
            tuple(sorted(names, key=order)),
            fault.numbers,
            drawn if len(where.run.program) <= SMALL else None,
            said.hints,
            fault.policy,
        )
        out.append((cause, drawn, names))
    return out, seen.unexplained


def _raising(
    seen: _Seen, call: BackwardCall, demands: Demands
) -> list[tuple[Cause, Example | None, set[str]]]:
    """The rules of an engine whose backward raised, as probes of it alone say."""
    answer = confirm(call, seen.used, demands)
    if isinstance(answer, str):
        seen.notes[answer] = None
        return []
    names = {case_name(call)}
    return [
        (replace(cause, cases=tuple(names), wrong_numbers=0), None, names)
        for cause in answer.causes
        if cause.kind == "raises"
    ]


def _same(fault: Fault, failure: Failure) -> bool:
    return not fault.rules or bool(set(rules_of(failure.run.program, failure)) & set(fault.rules))


def _confirmed(seen: _Seen, answer: Confirmed) -> tuple[list[tuple[Cause, Example | None, set[str]]], int]:
    """Causes with their lines, counted and drawn in the script's own run."""
    counts = [0] * len(answer.causes)
    names: list[set[str]] = [set() for _ in answer.causes]
    firsts: list[Failure | None] = [None] * len(answer.causes)
    unexplained = 0
    for name, failure in seen.failures:
        n = answer.of(failure)
        if n is None:
            unexplained += 1
            continue
        counts[n] += 1
        names[n].add(name)
        firsts[n] = firsts[n] or failure
    assert seen.first is not None
    checked = seen.first[1]
    out = []
    for n, (cause, fault) in enumerate(zip(answer.causes, answer.faults, strict=True)):
        drawn = None
        first = next((f for f in checked.failures if answer.of(f) == n), None)
        if first is not None:
            drawn = example(fault, checked, first, answer.found)
        shown = drawn if drawn is not None and len(checked.run.program) <= SMALL else cause.example
        if firsts[n] is None:
            continue  # wrong by itself, but the script was never hurt by it
        cause = replace(
            cause,
            cases=tuple(sorted(names[n], key=order)),
            wrong_numbers=counts[n],
            example=shown,
        )
        out.append((cause, drawn, names[n]))
    return out, unexplained
