"""How often the judge is right, measured on mutants and on rewrites, beside what else a user would have had.

    python -m tests.sensitivity [COUNT [TOKEN]]      so many mutants of all, chosen by the token

A mutant is *equivalent* when its numbers are those of its base on every program of `broad()`, and a *choice*
when they differ only where engines may: at kinks, at the ends of domains, in the cases about policies.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from oracle import suite, torch_reference
from oracle.case import Answer, Case, Observe
from oracle.checking import check
from oracle.floats import same
from oracle.fuzz import case as random_case
from oracle.fuzz import check_too, fuzz, offered, settled
from oracle.judge.causes import Demands
from oracle.program import Program
from oracle.progress import meter
from oracle.recording import record
from oracle.report import Cause, Report
from oracle.subjects import LoadError, Subject, open_subject
from oracle.vocabulary import VOCABULARY
from tests import corpus
from tests.corpus import ENGINES
from tests.mutants import BASES, PARENT, SLOPE, VALUE, Mutant, everything, sample
from tests.rewrites import REWRITES, Rewrite

T = TypeVar("T", bound=Hashable)
R = TypeVar("R")

FUZZED = 300
"""Random programs of the column "with fuzz"."""

BROAD = 300
"""Random programs that a mutant must agree on with its base, besides the suite, to be called equivalent."""


@dataclass(frozen=True)
class Scored:
    """One report set beside what was expected of it."""

    detected: bool
    exact: bool
    line: bool
    extra: tuple[str, ...]
    unexplained: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """How one mutant was judged. status: "mutant", "equivalent", "choice", or ("refused") not loaded, or hanging."""

    mutant: Mutant
    status: str
    alone: Scored
    fuzzed: Scored | None
    whole_graph: bool
    differences: bool
    seconds: float


# What the base does --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Base:
    """A right engine: its answers to many programs (`values` of them without backward, to begin with), what it
    lacks, and the networks that it can compute."""

    cases: tuple[Case, ...]
    values: int
    answers: tuple[Answer, ...]
    missing: frozenset[tuple[str | None, str | None]]
    networks: tuple[Case, ...]


@cache
def base(name: str) -> Base:
    """Learn all that of a base, once in each process."""
    with open_subject(str(ENGINES / f"{name}.py")) as subject:
        rules = offered(subject)
        randoms = (random_case(rules, "broad", n) for n in range(BROAD))
        whole = [c for c in suite.cases() if not c.name.endswith(("-42", "-5000"))]
        values = [replace(c, steps=(Observe(),)) for c in whole if c.level in ("forward", "coerce")]
        cases = (*values, *whole, *randoms)
        answers = tuple(subject.run(cases))
        report = check(subject, suite.cases(), Demands())
        bend = next(op for op in ("tanh", "relu", "sigmoid") if op in subject.ops)
    missing = frozenset((c.op, c.form) for c in report.causes if c.severity == "missing")
    return Base(cases, len(values), answers, missing, tuple(_networks(bend)))


def _networks(bend: str) -> Iterable[Case]:
    """The lecture's neuron, and a 3-4-4-1 perceptron with squared error, in one activation function."""
    weights = (2.0, 0.0, -3.0, 1.0, 6.881373587019543)
    neuron = record(lambda a, b, v, w, c: getattr(a * v + b * w + c, bend)(), *weights)
    yield Case("user/neuron", neuron)

    def perceptron(*leaves: Any) -> Any:
        xs, rest = list(leaves[:3]), iter(leaves[3:])
        for size in (4, 4, 1):
            sums = []
            for _ in range(size):
                total = next(rest)
                for x in xs:
                    total = total + next(rest) * x
                sums.append(total)
            xs = [getattr(s, bend)() for s in sums] if size > 1 else sums
        return (xs[0] - 1.0) ** 2

    numbers = [((n * 37) % 19 - 9) / 10.0 or 0.05 for n in range(1, 42)]
    yield Case("user/perceptron", record(perceptron, 2.0, 3.0, -1.0, *numbers))


# Equivalence ---------------------------------------------------------------------------------------------------------


def _answers(subject: Subject, of: Base) -> list[Answer]:
    """A mutant's answers to its base's programs, up to where it is known that they differ; or to a timeout."""
    answers: list[Answer] = []
    while len(answers) < len(of.cases):
        n = len(answers)
        batch = of.cases[n : n + 20] if n >= of.values else of.cases[: of.values]
        answers += subject.run(batch)
        if any(a.lost == "timeout" for a in answers[n:]):
            first = next(k for k, a in enumerate(answers) if a.lost == "timeout")
            return answers[: first + 1]
        if n and any(
            _plain(c) and not _agree(c, a, b)
            for c, a, b in zip(of.cases[n:], answers[n:], of.answers[n:], strict=False)
        ):
            break
    return answers


def status(mutant: Mutant, answers: Sequence[Answer]) -> str:
    """Whether a mutant's numbers differ from its base's anywhere, and where."""
    of = base(mutant.base)
    differing = [c for c, a, b in zip(of.cases, answers, of.answers, strict=False) if not _agree(c, a, b)]
    if not differing:
        return "equivalent"
    if any(_plain(c) for c in differing):
        return "mutant"
    kinks = [(c, a) for c, a in zip(of.cases, answers, strict=False) if "-kink-" in c.name and a.ok]
    return "choice" if all(_valid(c, a) for c, a in kinks) else "mutant"


def _valid(case: Case, answer: Answer) -> bool:
    """Whether what an op pushes at its kink is in its subdifferential."""
    (seen,) = answer.observations
    node = case.program.node(0)
    kink = VOCABULARY[node.op].kink(case.program.operand_data(node, case.program.inputs))
    g, own = seen.grad[len(case.program.inputs)], seen.grad[0]
    assert kink is not None
    return g is None or own is None or not g or kink.low <= own / g <= kink.high


def _agree(case: Case, a: Answer, b: Answer) -> bool:
    """To the bit for small programs; up to the rounding of a sum's order (a set's, say) for the others."""
    if not (a.ok and b.ok):
        return (a.crash is None) == (b.crash is None) and a.lost == b.lost and a.unsupported == b.unsupported
    exact = len(case.program.ops) <= 2
    for x, y in zip(a.observations, b.observations, strict=True):
        numbers = [*zip(x.data, y.data, strict=True), *zip(x.grad, y.grad, strict=True)]
        size = max((abs(q) for _, q in numbers if q is not None and math.isfinite(q)), default=0.0)
        for p, q in numbers:
            if p is None or q is None:
                if p is not q:
                    return False
            elif not same(p, q) and (exact or not abs(p - q) <= 1e-9 * size):
                return False
    return True


def _plain(case: Case) -> bool:
    """Whether any engine can be expected to be right on a case."""
    if case.policy is not None:
        return False
    data = list(case.program.inputs)
    for _, node in case.program.nodes():
        point = case.program.operand_data(node, data)
        if not settled((node.op, case.program.form(node)), point):
            return False
        data.append(VOCABULARY[node.op].value(*point, **node.parameters))
    return True


def changes_value(mutant: Mutant, answers: Sequence[Answer]) -> bool:
    """Whether the op of a mutant returns another number (or none) at an ordinary point."""
    of = base(mutant.base)
    for case, a, b in zip(of.cases, answers, of.answers, strict=False):
        program = case.program
        if case.level not in ("forward", "coerce") or program.ops[0] != mutant.op or not b.ok:
            continue
        k = len(program.inputs)
        if not a.ok:
            if a.crash is None or a.crash.during == "forward":
                return True
        elif not same(a.observations[0].data[k], b.observations[0].data[k]):
            return True
    return False


# Scoring -------------------------------------------------------------------------------------------------------------


def score(mutant: Mutant, report: Report, kinds: frozenset[str]) -> Scored:
    """Set a report beside what is expected."""
    lacking = base(mutant.base).missing
    serious = [
        c
        for c in report.causes
        if c.severity in ("wrong", "imprecise") or (c.severity == "missing" and (c.op, c.form) not in lacking)
    ]
    hits = [c for c in serious if c.kind in kinds and (mutant.anywhere or c.op == mutant.op)]
    hit = next((c for c in hits if c.line in mutant.lines), hits[0] if hits else None)
    extra = () if mutant.anywhere else tuple(_words(c) for c in serious if c not in hits)
    detected = bool(serious) or report.unexplained > 0 or report.exit_code == 3
    line = hit is not None and hit.line in mutant.lines
    return Scored(detected, hit is not None, line, extra, report.unexplained, tuple(map(_words, serious)))


def _words(cause: Cause) -> str:
    words = [cause.kind, cause.op or "engine", cause.form or "", cause.mistake or "", f"line {cause.line}"]
    return " ".join(filter(None, words))


def expected_kinds(mutant: Mutant, answers: Sequence[Answer]) -> frozenset[str]:
    """Narrow down a place outside of closures: the value is wrong where it changes, else the derivative is."""
    if mutant.kinds == VALUE and not changes_value(mutant, answers):
        return SLOPE | PARENT | {"accumulation"}
    if mutant.kinds == PARENT and changes_value(mutant, answers):
        return VALUE
    return mutant.kinds


def judge(mutant: Mutant, with_fuzz: bool = True) -> Verdict:
    """Judge one mutant with the suite, as a user would have, and with random programs where the suite finds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{mutant.base}.py"
        path.write_text(mutant.source, encoding="utf-8")
        try:
            with open_subject(str(path), timeout=4.0) as subject:
                return _judged(mutant, subject, with_fuzz)
        except LoadError as refusal:
            return _refused(mutant, str(refusal))


def _refused(mutant: Mutant, why: str) -> Verdict:
    nothing = Scored(True, False, False, (), 0, (why,))
    return Verdict(mutant, "refused", nothing, nothing, True, True, 0.0)


def _judged(mutant: Mutant, subject: Subject, with_fuzz: bool) -> Verdict:
    of = base(mutant.base)
    answers = _answers(subject, of)
    if answers[-1].lost == "timeout":
        return _refused(mutant, f"hangs: {answers[-1].detail}")
    kinds = expected_kinds(mutant, answers)
    report = check(subject, suite.cases(), Demands())
    alone = score(mutant, report, kinds)
    fuzzed = None
    if with_fuzz:
        fuzzed = alone
        if not alone.detected:
            fuzzed = score(mutant, check_too(subject, suite.cases(), Demands(), "sensitivity", FUZZED), kinds)
    networks = list(zip(of.networks, subject.run(of.networks), strict=True))
    return Verdict(
        mutant,
        status(mutant, answers),
        alone,
        fuzzed,
        any(not _close(case, answer) for case, answer in networks),
        any(not _steep(subject, case, answer) for case, answer in networks),
        report.seconds,
    )


# What a user would have had ------------------------------------------------------------------------------------------


def _close(case: Case, answer: Answer) -> bool:
    """`torch.testing.assert_close` with its defaults, on every number of the whole graph."""
    if not answer.ok:
        return False
    t = torch_reference.torch()
    (mine,), (theirs,) = answer.observations, torch_reference.run(case)
    pairs = [*zip(mine.data, theirs.data, strict=True), *zip(mine.grad, theirs.grad, strict=True)]
    kept = [(p, q) for p, q in pairs if p is not None and q is not None]
    actual, expected = (t.tensor(column, dtype=t.float64) for column in zip(*kept, strict=True))
    try:
        t.testing.assert_close(actual, expected)
    except AssertionError:
        return False
    return True


def _steep(subject: Subject, case: Case, answer: Answer) -> bool:
    """Central differences of the engine's own values, with the step and the tolerances of `gradcheck`."""
    if not answer.ok:
        return False
    eps, program = 1e-6, case.program
    leaves = range(len(program.inputs))
    moved = [Case(case.name, _moved(program, i, side * eps)) for i in leaves for side in (1, -1)]
    tops = [a.observations[0].data[program.root] if a.ok else math.nan for a in subject.run(moved)]
    for i in leaves:
        slope = (tops[2 * i] - tops[2 * i + 1]) / (2 * eps)
        grad = answer.observations[0].grad[i]
        if not abs((grad or 0.0) - slope) <= 1e-5 + 1e-3 * abs(slope):
            return False
    return True


def _moved(program: Program, i: int, by: float) -> Program:
    inputs = program.inputs
    return replace(program, inputs=(*inputs[:i], inputs[i] + by, *inputs[i + 1 :]))


# Right engines -------------------------------------------------------------------------------------------------------


def alarms(rewrite: Rewrite) -> tuple[str, ...]:
    """What a judge says against a right engine, by suite and random programs; or fails to say of its precision."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "engine.py"
        path.write_text(rewrite.source(), encoding="utf-8")
        with open_subject(str(path)) as subject:
            report = check_too(subject, suite.cases(), Demands(), "rewrites", FUZZED)
    serious = [c for c in report.causes if c.severity in ("wrong", "imprecise")]
    said = [_words(c) for c in serious if c.mistake != rewrite.imprecise or c.severity == "wrong"]
    if rewrite.imprecise and all(c.mistake != rewrite.imprecise for c in serious):
        said.append(f"{rewrite.imprecise} is not said")
    return (*said, *([f"{report.unexplained} unexplained"] if report.unexplained else []))


def survives(name: str, count: int = 2000) -> int:
    """How many of `count` random programs a right engine of the corpus is said to fail."""
    with open_subject(str(ENGINES / name), allow_imports=("numpy",)) as subject:
        return fuzz(subject, "survival", count).failing


# Many ----------------------------------------------------------------------------------------------------------------


def judge_all(chosen: Sequence[Mutant], with_fuzz: bool = True, jobs: int = 2) -> list[Verdict]:
    """Judge many mutants, two at a time, with progress on a terminal."""
    found: list[Verdict] = []
    with ProcessPoolExecutor(jobs) as pool, meter("mutants", len(chosen)) as tick:
        for verdict in pool.map(judge, chosen, [with_fuzz] * len(chosen), chunksize=4):
            found.append(verdict)
            tick(len(found), sum(not v.alone.exact for v in found))
    return found


def each(function: Callable[[T], R], items: Sequence[T], jobs: int = 2) -> dict[T, R]:
    """A function of each item, two at a time."""
    with ProcessPoolExecutor(jobs) as pool:
        return dict(zip(items, pool.map(function, items, chunksize=2), strict=True))


def figures(verdicts: Sequence[Verdict]) -> dict[str, tuple[int, int]]:
    """Rates by name, each as (so many, of so many)."""
    real = [v for v in verdicts if v.status in ("mutant", "refused")]
    judged = [v for v in real if v.status == "mutant"]
    rest = [v for v in verdicts if v.status in ("equivalent", "choice")]
    out: dict[str, tuple[int, int]] = {}
    for name, scores in (
        ("suite", [v.alone for v in judged]),
        ("suite and fuzz", [v.fuzzed for v in judged if v.fuzzed is not None]),
    ):
        if scores:
            n = len(scores)
            out[f"{name}: detected"] = (sum(s.detected for s in scores), n)
            out[f"{name}: exact op and kind"] = (sum(s.exact for s in scores), n)
            out[f"{name}: exact line"] = (sum(s.line for s in scores), n)
            out[f"{name}: nothing else blamed"] = (sum(not s.extra for s in scores), n)
            out[f"{name}: nothing unexplained"] = (sum(not s.unexplained for s in scores), n)
    slight = [v for v in judged if v.mutant.mutation == "1e-12"]
    out["a derivative wrong by 1e-12: found and placed"] = (
        sum(v.alone.exact and v.alone.line for v in slight), len(slight),
    )  # fmt: skip
    out["whole graph, assert_close: detected"] = (sum(v.whole_graph for v in judged), len(judged))
    out["finite differences: detected"] = (sum(v.differences for v in judged), len(judged))
    out["equivalent mutants, called wrong"] = (
        sum(v.alone.detected for v in rest if v.status == "equivalent"),
        sum(v.status == "equivalent" for v in rest),
    )
    out["differing by choice only, called wrong"] = (
        sum(v.alone.detected for v in rest if v.status == "choice"),
        sum(v.status == "choice" for v in rest),
    )
    out["refused on loading, or hanging"] = (len(real) - len(judged), len(verdicts))
    return out


def render(verdicts: Sequence[Verdict]) -> str:
    """The figures, then every mutant that was not judged exactly."""
    out = [f"{len(verdicts)} mutants of {len({v.mutant.base for v in verdicts})} engines of {len(BASES)}"]
    for name, (n, of) in figures(verdicts).items():
        rate = f"{100 * n / of:6.1f} %" if of else ""
        out.append(f"{name:<48} {n:>5} of {of:>5} {rate}")
    for v in verdicts:
        notes = _notes(v)
        if notes:
            out.append(f"  {v.mutant.name}\n      [{v.mutant.op}] {'; '.join(notes)}")
    return "\n".join(out)


def _notes(v: Verdict) -> list[str]:
    s, notes = v.alone, []
    if v.status in ("equivalent", "choice"):
        return [f"FALSE ALARM ({v.status}): {', '.join(s.words)}"] if s.detected else []
    if v.status == "refused":
        return [f"refused: {s.words[0]}"]
    if not s.detected:
        notes.append("NOT DETECTED")
    elif not s.exact:
        notes.append(f"cause: {', '.join(s.words)}")
    elif not s.line:
        notes.append(f"line: {', '.join(s.words)} (right: {sorted(v.mutant.lines)[:6]})")
    if s.extra and s.exact:
        notes.append(f"also: {', '.join(s.extra)}")
    if s.unexplained:
        notes.append(f"{s.unexplained} unexplained")
    if v.fuzzed is not None and notes and not _notes(replace(v, alone=v.fuzzed, fuzzed=None)):
        notes.append("right with fuzz")
    return notes


def main(arguments: Sequence[str]) -> None:
    """Print the table: mutants, then right engines."""
    count = int(arguments[0]) if arguments else 400
    token = arguments[1] if len(arguments) > 1 else "sensitivity"
    print(f"{count} of {len(everything())} mutants, chosen by {token!r}", flush=True)
    print(render(judge_all(sample(count, token))), flush=True)
    said = each(alarms, REWRITES)
    print(
        f"{'right engines by other formulas, called wrong':<48} {sum(map(bool, said.values())):>5} of {len(said):>5}"
    )
    for rewrite, words in said.items():
        if words:
            print(f"  {rewrite.name}: {'; '.join(words)}")
    survivors = each(survives, [row.file for row in corpus.CORRECT])
    failing = {name: n for name, n in survivors.items() if n}
    print(f"{'right engines failing in 2,000 random programs':<48} {len(failing):>5} of {len(survivors):>5}")
    for name, n in failing.items():
        print(f"  {name}: {n}")


if __name__ == "__main__":
    main(sys.argv[1:])
