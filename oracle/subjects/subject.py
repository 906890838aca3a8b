"""One subject: its worker is started, asked, and replaced when it dies or hangs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from oracle.case import Answer, Case
from oracle.subjects import messages
from oracle.subjects.child import OUTPUT, Child, Lost, Request
from oracle.subjects.near import near_misses
from oracle.subjects.network import Network, NetworkAnswer
from oracle.subjects.target import LoadError, Target, resolve
from oracle.subjects.tracing import Trace
from oracle.vocabulary import VOCABULARY

WORKER = Path(__file__).parent / "worker"

BOOTSTRAP = """
import sys
package = type(sys)("_oracle_worker")
package.__path__ = [sys.argv[1]]
sys.modules["_oracle_worker"] = package
from _oracle_worker.main import serve
import json
serve(json.loads(sys.argv[2]))
"""
"""Starts the worker under a name of its own, so that no module of the subject's can take its place."""

PROCESSOR = 600
"""Seconds of processor time that one worker may use in its life; each case has its own timeout besides."""

PRINTED = 1 << 14
"""Bytes of a subject's printing that are shown."""


@dataclass(frozen=True)
class Launch:
    """How a subject's worker is started.

    target, file, name, sha256  what the user named, the file behind it, what it is called, its fingerprint
    command, environment        the worker's
    timeout, start_timeout      seconds: for one case, for loading
    """

    target: str
    file: str | None
    name: str
    sha256: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    timeout: float = 5.0
    start_timeout: float = 10.0


def open_subject(
    target: str,
    *,
    timeout: float = 5.0,
    start_timeout: float = 10.0,
    memory_mb: int = 1024,
    hash_seed: int | None = None,
    allow_imports: Sequence[str] = (),
) -> Subject:
    """Load a target in a worker. Raises LoadError with one sentence.

    timeout, start_timeout  seconds, for one case and for loading
    memory_mb               address space of the worker, MiB
    hash_seed               makes the hashes of strings repeatable, and shifts the addresses of nodes
    allow_imports           installed packages that the engine may import, e.g. ("numpy",)
    """
    found = resolve(target)
    return Subject(
        Launch(
            target=target,
            file=str(found.file),
            name=found.name,
            sha256=found.sha256(),
            command=_command(found, memory_mb, hash_seed, allow_imports),
            environment=_environment(hash_seed),
            timeout=timeout,
            start_timeout=start_timeout,
        )
    )


class Subject:
    """An engine in a process of its own. Use it as a context manager, or close it.

    name          "engine.py:Value"
    target, file, sha256, language, isolation   as the report prints them
    ops           vocabulary names of which a trial call returned a node
    grads         whether every value keeps its gradient, or only the leaves
    capabilities  e.g. "mlp"
    has_backward  False for a scaffold: its ops can be run, a Backward step is answered with a Crash
    found         what is driven, in words: class, constructor, data, gradient, backward, every op's spelling
    near_misses   Python's name of an operator → the misspelled name that the class defines instead
    """

    isolation = "weak"

    def __init__(self, launch: Launch) -> None:
        """Start the worker. Raises LoadError."""
        self._launch = launch
        self._child: Child | None = None
        self._printed = ""
        self._next = 0
        self._timeouts = 0
        self._gone: str | None = None
        self.target, self.file, self.sha256 = launch.target, launch.file, launch.sha256
        hello = self._start()
        self.name: str = hello.name
        self.language: str = hello.language
        self.ops: frozenset[str] = hello.ops
        self.grads: Literal["all", "leaves"] = hello.grads
        self.capabilities: frozenset[str] = hello.capabilities
        self.has_backward: bool = hello.has_backward
        self.found: Mapping[str, str] = hello.found
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

    @property
    def output(self) -> str:
        """What the subject printed so far: its beginning, control characters made visible."""
        text = self._printed
        if self._child is not None:
            text += self._child.output(PRINTED - len(text))
        return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)

    def run(self, cases: Sequence[Case]) -> list[Answer]:
        """The subject's answers, in order; a case that a worker is lost on says why, and a new one goes on."""
        answers: list[Answer] = []
        while len(answers) < len(cases):
            try:
                for answer in self._ask(cases[len(answers) :]):
                    answers.append(answer)
            except Lost as loss:
                self.close()
                self._timeouts += loss.reason == "timeout"
                answers.append(Answer(lost=loss.reason, detail=str(loss)))
        return answers

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
            except LoadError as problem:
                self._gone = f"the subject could not be loaded again: {problem}"
        if self._gone is not None:
            raise Lost("died", self._gone)
        assert self._child is not None
        return self._child

    def _start(self) -> messages.Hello:
        """Start a worker. Raises LoadError."""
        name, limit = self._launch.name, self._launch.start_timeout
        try:
            self._child = Child(self._launch.command, self._launch.environment)
            start = Request(b'{"cmd":"start","protocol":1}\n', messages.LONGEST_HELLO)
            (reply,) = self._child.ask([start], limit)
            return messages.read_hello(reply[0])
        except OSError as problem:
            sentence = f"{name}: it cannot be started: {problem.strerror}"
        except Lost as loss:
            sentence = f"{name}: loading it failed: {loss}"
            if loss.reason == "timeout":
                sentence = (
                    f"{name}: loading it did not end within {limit:g} s; look for a loop that runs on import, "
                    'and put it under `if __name__ == "__main__":`'
                )
        except messages.Refused as refusal:
            sentence = str(refusal)
            if self._launch.file is None or Path(self._launch.file).name not in sentence:
                sentence = f"{name}: {sentence}"
        self.close()
        raise LoadError(sentence)


def _command(
    target: Target, memory_mb: int, hash_seed: int | None, allow_imports: Sequence[str]
) -> tuple[str, ...]:
    """The Python worker's command line."""
    config: dict[str, Any] = {
        "file": str(target.file),
        "module": target.module,
        "class": target.class_name,
        "roots": [str(root) for root in target.roots],
        "allow": list(allow_imports),
        "site": [p for p in sys.path if "-packages" in p] if allow_imports else [],
        "words": [
            [op.name, op.arity, list(op.spellings), list(op.functions), op.operator]
            for op in VOCABULARY.values()
        ],
        "memory": memory_mb << 20,
        "output": OUTPUT,
        "cpu": PROCESSOR,
        "shift": hash_seed,
    }
    # -I ignores PYTHONHASHSEED; where it is wanted, an empty environment makes -E unnecessary
    flags = ("-I", "-S") if hash_seed is None else ("-P", "-s", "-S")
    return (sys.executable, *flags, "-c", BOOTSTRAP, str(WORKER), json.dumps(config))


def _environment(hash_seed: int | None) -> dict[str, str]:
    """The worker's whole environment: none of the caller's variables."""
    environment = {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    if hash_seed is not None:
        environment["PYTHONHASHSEED"] = str(hash_seed % 2**32)
    return environment
