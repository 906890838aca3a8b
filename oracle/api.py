"""The Python interface: `check` a class or a file, `diff` a live graph, `assert_matches_torch` in a test."""

from __future__ import annotations

import operator
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from oracle import models, standard_reference, suite, torch_reference
from oracle.case import Backward, Case, Observation, Observe
from oracle.checking import check as check_subject
from oracle.checking import requirements
from oracle.fuzz import check_too
from oracle.judge.bulk import LARGE, judge_one
from oracle.judge.causes import Demands
from oracle.judge.equations import Checked, Failure, Traits, runs
from oracle.judge.example import example, pick
from oracle.judge.excerpt import LARGE as SHOWN_IN_PART
from oracle.judge.excerpt import SHOWN, excerpt
from oracle.judge.fault import Fault
from oracle.judge.sentences import words
from oracle.judge.static import blame
from oracle.live import target_of
from oracle.options import FUZZ, words_of
from oracle.program import Program
from oracle.progress import meter
from oracle.recording import from_graph, record
from oracle.report import CaseResult, Cause, Report, SubjectInfo
from oracle.reports.shown import Shown
from oracle.spelling import spelled
from oracle.subjects import LoadError, Subject, open_subject
from oracle.unroll import unrolled
from oracle.version import VERSION
from oracle.vocabulary import VOCABULARY


def check(
    target: type | str | os.PathLike[str],
    *,
    profile: Literal["lecture", "torch"] = "lecture",
    require: str = "",
    strict: bool = False,
    levels: Iterable[str] = (),
    case: str = "*",
    fuzz: int | None = None,
    seed: str = "",
    timeout: float = 5.0,
    memory: int = 1024,
    allow_imports: Iterable[str] = (),
) -> Report:
    """Judge an engine by the whole suite, in a process of its own: `oracle check`, from Python.

    target  the engine's class, from a file or from the cells of the notebook that runs; or FILE[:Class] in words
    others  as the options of `oracle check`: require is a list by comma, timeout in seconds for one case, memory
            in MiB, fuzz a number of random programs (50 where there is a seed), which `seed` makes the same again

    In a notebook the report shows itself; elsewhere, print it. Raises LoadError where the engine cannot be run,
    TypeError for what is no class and no name, ValueError for options that mean nothing.
    """
    demands = Demands(profile, requirements(require), strict)
    levels = tuple(levels)
    wanted = frozenset(levels)
    if unknown := wanted - set(suite.LEVELS):
        raise ValueError(f"levels: {', '.join(sorted(unknown))}; the levels are {', '.join(suite.LEVELS)}")
    cases = list(suite.select(wanted, case))
    if not cases:
        raise ValueError(f"case {case!r}: no case has a name like that; a name is level/short-name")
    limits: dict[str, Any] = {
        "timeout": timeout,
        "memory_mb": memory,
        "allow_imports": tuple(allow_imports),
    }

    programs = FUZZ * bool(seed) if fuzz is None else fuzz

    def judged(subject: Subject) -> Report:
        if programs:
            report = check_too(subject, cases, demands, seed, programs)
        else:
            report = check_subject(subject, cases, demands)
        words = words_of(profile=profile, required=demands.required, strict=strict, levels=levels,
                         pattern=case, fuzz=programs, seed=report.seed)  # fmt: skip
        return replace(report, options=words)

    if not isinstance(target, type):
        if not isinstance(target, str | os.PathLike):
            raise TypeError(
                f"expected a class or a file, found {type(target).__name__}: check(Value) judges the engine, "
                "diff(root) a graph of it"
            )
        with open_subject(os.fspath(target), **limits) as subject:
            return Shown.of(judged(subject))
    with target_of(target) as (found, said):
        try:
            with open_subject(found, **limits) as subject:
                return Shown.of(spelled(judged(subject), said, found.text))
        except LoadError as problem:
            raise LoadError(said(str(problem))) from None


def diff(root: Any, *, name: str = "graph") -> Report:
    """Judge a live minigrad graph against PyTorch, as its numbers stand after `root.backward()`.

    Nothing is called on the graph and nothing in it is changed. Every value is judged on its own operands, so a
    report names the rule that is wrong, not its consequences. Raises TypeError for something that is no such
    graph, ValueError when no backward has been made (the root's gradient is still 0).
    """
    program, observation = from_graph(unrolled(root))
    if observation.grad[program.root] == 0.0:
        raise ValueError("the root's gradient is 0: call backward() on it first, then diff it")
    return Shown.of(_report(program, observation, name, type(root)))


def assert_matches_torch(
    function: Callable[..., Any], *inputs: float, engine: Callable[[float], Any] | None = None
) -> None:
    """Assert that an engine computes a function's value and gradients as PyTorch does, at every value of it.

    function  takes one value for each input and returns a value; uses operators, `abs`, `sum`, and the
              vocabulary as methods. Or a network of minigrad.nn, which needs no engine: it must then also be
              the function, with the gradients, that `to_torch` of it is
    inputs    floats
    engine    makes a value of the engine from a float; `backward()`, `.data` and `.grad` are expected of it

    A network's own gradients are left as they were. Raises AssertionError naming the rule that is wrong with its
    numbers, TypeError when the function or the engine is not of this kind.
    """
    if models.is_model(function):
        _assert_model_matches(function, inputs)
        return
    if engine is None:
        raise TypeError("assert_matches_torch of a function needs an engine, as in engine=Value")
    program = record(function, *inputs)
    report = _report(program, _drive(program, engine), getattr(function, "__name__", "function"), engine)
    _raise_for(_lines(report))


def _assert_model_matches(model: Any, inputs: tuple[float, ...]) -> None:
    """Every node on its own operands; then the whole against the equivalent Sequential."""
    before = [(parameter, parameter.grad) for _, parameter in model.named_parameters()]
    try:
        root, outputs, grads = models.backpropagated(model, inputs)
        lines = _lines(diff(root, name=type(model).__name__))
    finally:
        for parameter, grad in before:
            parameter.grad = grad
    _raise_for(lines or models.wiring(model, inputs, outputs, grads))


def _lines(report: Report) -> list[str]:
    """What a report has to say to an AssertionError; nothing when it is ok."""
    if report.ok:
        return []
    lines = []
    for cause in report.causes:
        lines.append(cause.message)
        if cause.example is not None:
            lines.append("\n".join("    " + line for line in cause.example.code.splitlines()))
    if report.unexplained:
        lines.append(f"{report.unexplained} wrong numbers are not explained by any rule")
    return lines


def _raise_for(lines: list[str]) -> None:
    if lines:
        raise AssertionError("does not match PyTorch: " + "\n".join(lines))


def _drive(program: Program, engine: Callable[[float], Any]) -> Observation:
    """Compute a program with an engine in this process, call backward on its root, and read every value."""
    values = [engine(x) for x in program.inputs]
    made = []
    for _, node in program.nodes():
        operands = [values[i] if i >= 0 else program.numbers[~i] for i in node.operands]
        values.append(_apply(node.op, operands, dict(node.parameters)))
    made = [_number(v.data) for v in values]
    values[program.root].backward()
    live = program.reaches()
    grads = [
        _number(v.grad) if keep or v.grad is not None else None for v, keep in zip(values, live, strict=True)
    ]
    data = [_number(v.data) for v in values]
    return Observation(tuple(data), tuple(grads), tuple(made))


def _apply(op: str, operands: list[Any], parameters: dict[str, float]) -> Any:
    operators: dict[str, Callable[..., Any]] = {
        "add": operator.add,
        "sub": operator.sub,
        "mul": operator.mul,
        "div": operator.truediv,
        "pow": operator.pow,
        "neg": operator.neg,
    }
    if op in operators:
        return operators[op](*operands)
    first, *others = operands
    for spelling in VOCABULARY[op].spellings:
        if hasattr(first, spelling):
            return getattr(first, spelling)(*others, **parameters)
    raise TypeError(f"{type(first).__name__} has no method for {op}")


def _number(x: Any) -> float:
    if x is None:
        raise TypeError("a gradient is None after backward(), though the value leads to the root")
    return float(x)


def _report(program: Program, observation: Observation, name: str, engine: object) -> Report:
    began = time.monotonic()
    case = Case(f"live/{name}", program, "", (Backward(program.root), Observe()))
    (run,) = runs(case, [observation])
    with meter("judging", len(program), shown=len(program) >= LARGE) as tell:
        checked = judge_one(run, Traits({}), tell)
    faults, unexplained = blame(checked)
    title = getattr(engine, "__qualname__", type(engine).__name__)
    shown = [pick(fault) for fault in faults]
    in_part = len(program) > SHOWN_IN_PART
    whole: Sequence[Observation] = ()
    by_formulas = _by_formulas(program) if in_part and faults else None
    if by_formulas is not None:
        whole = (by_formulas,)
    elif in_part and faults:
        whole = torch_reference.run(case, {i for s in shown if s for i in excerpt(s[1]).values})
    found = [_cause(fault, s, checked, title, whole) for fault, s in zip(faults, shown, strict=True)]
    wrong = bool(unexplained) or any(cause.demanded for cause in found)
    outcome = "fail" if wrong else "policy" if found else "pass"
    return Report(
        SubjectInfo(title, "", "python", ""),
        VERSION,
        "live",
        torch_reference.version(),
        "none",
        "lecture",
        "",
        time.monotonic() - began,
        1 if wrong else 0,
        tuple(found),
        (CaseResult(case.name, "live", outcome, tuple(range(len(found)))),),
        {},
        len(unexplained),
        notes=(_in_part(len(program), by_formulas is not None),) if in_part else (),
    )


def _by_formulas(program: Program) -> Observation | None:
    """PyTorch's numbers for a large and deep program, by its formulas: it would take 30 µs and 2 kB a value for it."""
    if len(program) < LARGE or torch_reference.wide(program):
        return None
    return standard_reference.observe(program)


def _in_part(size: int, by_formulas: bool) -> str:
    computed = "; these are computed by PyTorch's formulas, not by PyTorch" if by_formulas else ""
    return (
        f"{size:,} values: all were judged, and causes and counts are of all; examples show {SHOWN} values at most, "
        f"around a wrong number, with the numbers that they have in the whole{computed}"
    )


def _cause(
    fault: Fault,
    shown: tuple[Case, Failure] | None,
    checked: Checked,
    title: str,
    whole: Sequence[Observation],
) -> Cause:
    said = words(fault, None, {})
    drawn = None
    if shown is not None:
        drawn = example(fault, checked, shown[1], {"constructor": f"{title}(x)"}, observations=whole)
    return Cause(
        fault.kind,
        fault.severity,
        fault.severity == "wrong",
        fault.op,
        fault.slot,
        None,
        said.mistake,
        said.message,
        None,
        None,
        (checked.run.case.name,),
        fault.numbers,
        drawn,
        said.hints,
        fault.policy,
    )
