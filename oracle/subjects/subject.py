"""One subject: its worker is started, asked, and replaced when it dies or hangs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Literal

from oracle.case import Answer, Case
from oracle.subjects import launch, messages
from oracle.subjects.boxes import Unavailable
from oracle.subjects.child import Child, Lost, Request
from oracle.subjects.launch import Launch
from oracle.subjects.near import near_misses
from oracle.subjects.network import Network, NetworkAnswer
from oracle.subjects.target import LoadError, Target, resolve
from oracle.subjects.tiers import Tier, candidates, tried
from oracle.subjects.tracing import Trace

PRINTED = 1 << 14
"""Bytes of a subject's printing that are shown."""


def open_subject(
    target: str | Target | None = None,
    *,
    command: str | None = None,
    timeout: float = 5.0,
    start_timeout: float = 10.0,
    memory_mb: int = 1024,
    allow_imports: Sequence[str] = (),
    tier: str | None = None,
    allow_weak: bool = True,
) -> Subject:
    """Load a target, or start a command that speaks the protocol, confined by a tier.

    Raises LoadError with one sentence, NoIsolation when no tier that may be taken works here.

    target, command         one of them; a target in words, or already found
    timeout, start_timeout  seconds, for one case and for loading
    memory_mb               memory of the worker, MiB
    allow_imports           installed packages that the engine may import, e.g. ("numpy",)
    tier                    the name of one, or None for the best that works here
    allow_weak              whether the tier "weak" may be taken where no other works
    """
    found = resolve(target) if isinstance(target, str) else target
    for candidate in candidates(tier, allow_weak or tier == "weak"):
        try:
            if found is None:
                start = launch.command(command or "", candidate, memory_mb, timeout, start_timeout)
            else:
                start = launch.python(found, candidate, memory_mb, allow_imports, timeout, start_timeout)
            return Subject(start)
        except Unavailable as problem:
            _blame(candidate, problem, command or (found.text if found is not None else ""))
    return open_subject(  # every candidate has just been found not to work: says so
        target, command=command, tier=tier, allow_weak=allow_weak
    )


def _blame(tier: Tier, problem: Unavailable, target: str) -> None:
    """A tier that could not be had for a subject is out, unless it works without: no subject weakens its tier."""
    try:
        probe(tier)
    except Unavailable:
        tried(tier.name, str(problem))
    else:
        raise LoadError(f"{target}: it cannot be isolated: {problem}") from None


def require_tier(allow_weak: bool = False, tier: str | None = None) -> str:
    """The tier that subjects will be run in, found out without a subject. Raises NoIsolation with a sentence."""
    while True:
        candidate = candidates(tier, allow_weak or tier == "weak")[0]
        try:
            probe(candidate)
        except Unavailable as problem:
            tried(candidate.name, str(problem))
        else:
            return candidate.name


def probe(tier: Tier) -> None:
    """Start an empty worker in a tier and let it try what it must not be able to do. Raises Unavailable."""
    start = launch.empty(tier)
    child = _child(start)
    try:
        _confined(child, start)
    finally:
        child.close()


def _child(start: Launch) -> Child:
    """Start the process. Raises OSError."""
    return Child(start.command, start.environment, start.mark, start.farewell)


def _confined(child: Child, start: Launch) -> None:
    """Read the first line of a process: whether it is confined. Raises Unavailable.

    Nothing of the subject's has run before that line, so that no subject can talk its way into a weaker tier.
    """
    try:
        ((line, _),) = child.ask([Request(b"", 4096)], start.start_timeout)
        messages.read_confinement(line)
    except Lost as loss:
        said = " ".join(child.output(300).split())
        raise Unavailable(f"it could not be entered: {said or loss}") from None
    except messages.Refused as refusal:
        raise Unavailable(str(refusal)) from None


class Subject:
    """An engine in a process of its own. Use it as a context manager, or close it.

    name          "engine.py:Value"
    target, file, sha256, language, isolation   as the report prints them
    ops           vocabulary names of which a trial call returned a node
    grads         whether every value keeps its gradient, or only the leaves
    capabilities  e.g. "mlp"
    has_backward  False for a scaffold: its ops can be run, a Backward step is answered with a Crash
    found         what is driven, in words: class, constructor, data, gradient, backward, every op's spelling
    seeds         set it to have the root's gradient set to 1 before every backward, which leaves it as it is
    near_misses   Python's name of an operator → the misspelled name that the class defines instead
    """

    def __init__(self, start: Launch, edit: messages.Edited | None = None) -> None:
        """Start the worker. Raises LoadError, or Unavailable when it cannot be confined as it has to be."""
        self._launch = start
        self.isolation = start.tier.name
        self._child: Child | None = None
        self._printed = ""
        self._next = 0
        self._timeouts = 0
        self._gone: str | None = None
        self._edit = edit
        self.seeds = False
        self.target, self.file, self.sha256 = start.target, start.file, start.sha256
        self._told(self._start())

    def _told(self, hello: messages.Hello) -> None:
        """Keep what the worker says of the engine that it has loaded."""
        self.name: str = hello.name
        self.language: str = hello.language
        self.ops: frozenset[str] = hello.ops
        self.grads: Literal["all", "leaves"] = hello.grads
        self.capabilities: frozenset[str] = hello.capabilities
        self.has_backward: bool = hello.has_backward
        self.found: Mapping[str, str] = hello.found
        self._never = hello.absent
        self.near_misses: Mapping[str, str] = near_misses(hello.methods)

    def __enter__(self) -> Subject:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker and everything it started."""
        if self._child is not None:
            self._printed += self._child.output(PRINTED - len(self._printed))
            self._child.close()
            self._child = None

    def reverse_sets(self) -> None:
        """From now on, in a new worker, sets of nodes have the reverse order; it is the same in every run."""
        self.close()
        self._launch = launch.reversed_order(self._launch)

    def edited(self, piece: str, lines: Sequence[tuple[int, str]], timeout: float = 1.0) -> Subject:
        """The same engine with other lines in a piece of its source: (number from 1, text). Its file stays as it is.

        Raises LoadError where it does not load then. timeout: seconds for one case.
        """
        return Subject(replace(self._launch, timeout=timeout), (piece, lines))

    def edit(self, piece: str, lines: Sequence[tuple[int, str]]) -> None:
        """Load the engine anew, with these lines otherwise, in the worker that there is: at a tenth of what a new one
        costs, which nothing of the last engine's reaches. Raises LoadError where it does not load."""
        self._edit, self._gone, self._timeouts = (piece, lines), None, 0
        self._told(self._start())

    @property
    def output(self) -> str:
        """What the subject printed so far: its beginning, control characters made visible.

        Every line is marked with a bar: a CI runner would obey one that begins with "::".
        """
        text = self._printed
        if self._child is not None:
            text += self._child.output(PRINTED - len(text))
        text = "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)
        return "".join("| " + line.replace("##", "# #") for line in text.splitlines(keepends=True))

    def run(self, cases: Sequence[Case]) -> list[Answer]:
        """The subject's answers, in order; a case that a worker is lost on says why, and a new one goes on."""
        cases = [case.seeded() for case in cases] if self.seeds else cases
        absent = [self._absent(case) for case in cases]
        asked = [case for case, op in zip(cases, absent, strict=True) if op is None]
        answers: list[Answer] = []
        while len(answers) < len(asked):
            try:
                for answer in self._ask(asked[len(answers) :]):
                    answers.append(answer)
            except Lost as loss:
                self.close()
                self._timeouts += loss.reason == "timeout"
                answers.append(Answer(lost=loss.reason, detail=str(loss)))
        given = iter(answers)
        return [next(given) if op is None else Answer(unsupported=op) for op in absent]

    def _absent(self, case: Case) -> str | None:
        """The first op of a case that the worker has said to be absent: it is not asked about that again."""
        ops = case.program.ops
        return None if self._never.isdisjoint(ops) else next(op for op in ops if op in self._never)

    def trace(self, case: Case) -> Trace | None:
        """Where the subject made and pushed each value of a case, or None when it cannot be told."""
        if self.language != "python":
            return None
        try:
            child = self._alive()
            self._next += 1
            line = messages.encode("trace", self._next, case)
            request = Request(line, messages.longest_trace(case))
            ((reply, _),) = child.ask([request], 4 * self._launch.timeout)
            return messages.read_trace(reply, self._next, case)
        except Lost:
            self.close()
        return None

    def network(self, asked: Network) -> NetworkAnswer:
        """What a perceptron beside the engine gives for one sample; for subjects with the capability "mlp"."""
        try:
            child = self._alive()
            self._next += 1
            line = messages.encode("network", self._next, asked)
            ((reply, _),) = child.ask([Request(line, 1 << 20)], self._launch.timeout)
            return messages.read_network(reply, self._next, asked)
        except Lost as loss:
            self.close()
            return NetworkAnswer(lost=loss.reason, detail=str(loss))

    def _ask(self, cases: Sequence[Case]) -> Iterator[Answer]:
        child = self._alive()
        first = self._next + 1
        self._next += len(cases)
        requests = (
            Request(messages.encode("run", first + k, case), messages.longest(case))
            for k, case in enumerate(cases)
        )
        for k, (line, seconds) in enumerate(child.ask(requests, self._patience())):
            yield messages.read_answer(line, first + k, cases[k], seconds)

    def _patience(self) -> float:
        """Seconds for one case: less with every timeout after the third, so that 300 of them end today."""
        full, excess = self._launch.timeout, max(0, self._timeouts - 2)
        return min(full, max(0.5, full * 0.5**excess))

    def _alive(self) -> Child:
        """The worker; a new one when the last was lost. Raises Lost when it cannot be started again."""
        if self._child is None and self._gone is None:
            try:
                self._start()
            except (LoadError, Unavailable) as problem:
                self._gone = f"the subject could not be loaded again: {problem}"
        if self._gone is not None:
            raise Lost("died", self._gone)
        assert self._child is not None
        return self._child

    def _said(self) -> str:
        """The end of what a command printed before it was lost: mostly why. Python's says so by itself."""
        if self._launch.file is not None or self._child is None:
            return ""
        lines = [line for line in self._child.output(PRINTED).splitlines() if line.strip()]
        told = next((line for line in lines if "rror" in line), lines[-1] if lines else "")
        return f'; it printed "{messages.one_line(told)}"' if told else ""

    def _start(self) -> messages.Hello:
        """Load the engine, in a new worker where there is none. Raises LoadError, Unavailable."""
        name, limit = self._launch.name, self._launch.start_timeout
        try:
            if self._child is None:
                self._child = _child(self._launch)
                if self._launch.announced:
                    _confined(self._child, self._launch)
            start = Request(messages.start(self._edit), messages.LONGEST_HELLO)
            (reply,) = self._child.ask([start], limit)
            return messages.read_hello(reply[0])
        except OSError as problem:
            sentence = f"{name}: it cannot be started: {problem.strerror}"
        except Lost as loss:
            sentence = f"{name}: loading it failed: {loss}{self._said()}"
            if loss.reason == "timeout":
                hint = "does it answer the first line that it reads, and flush its output?"
                if self._launch.file is not None:
                    hint = (
                        'look for a loop that runs on import, and put it under `if __name__ == "__main__":`'
                    )
                sentence = f"{name}: loading it did not end within {limit:g} s; {hint}"
        except Unavailable:
            self.close()
            raise
        except messages.Refused as refusal:
            sentence = str(refusal)
            if self._launch.file is None or Path(self._launch.file).name not in sentence:
                sentence = f"{name}: {sentence}"
        self.close()
        raise LoadError(sentence)
