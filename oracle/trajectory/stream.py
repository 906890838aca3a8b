"""Starting a script in a process of its own, and reading what it tells until it ends or its time is up."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import oracle.subjects
from oracle.subjects import LoadError
from oracle.trajectory.events import BackwardCall, Ended, Garbled, read
from oracle.vocabulary import VOCABULARY

WORKER = Path(oracle.subjects.__file__).parent / "worker"

BOOTSTRAP = """
import sys
package = type(sys)("_oracle_worker")
package.__path__ = [sys.argv[1]]
sys.modules["_oracle_worker"] = package
from _oracle_worker.script import run
import json
run(json.loads(sys.argv[2]))
"""

LARGEST = 200_000
"""Values of the largest program that is judged; of a larger one only loss and parameters are followed."""

BUDGET = 1_000_000
"""Values judged in one run; after that every tenth step is."""

KEPT = 1 << 14
"""Bytes kept of the end of what the script prints."""


class Script:
    """A script under way. Iterate over `events`; afterwards `printed` is the end of its output."""

    def __init__(
        self, path: Path, argv: Sequence[str] = (), *, timeout: float = 120.0, steps: int | None = None
    ) -> None:
        """timeout: seconds for the whole script. steps: end it after so many backward calls. Raises LoadError."""
        self.path, self.timeout = path, timeout
        self.printed = b""
        config: dict[str, Any] = {
            "file": str(path.resolve()),
            "argv": list(argv),
            "words": [
                [op.name, op.arity, list(op.spellings), list(op.functions), list(op.parameters)]
                for op in VOCABULARY.values()
            ],
            "steps": steps,
            "largest": LARGEST,
            "budget": BUDGET,
        }
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", BOOTSTRAP, str(WORKER), json.dumps(config)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "MPLBACKEND": "Agg"},
                start_new_session=True,
            )
        except OSError as problem:
            raise LoadError(f"{path.name}: it cannot be started: {problem.strerror}") from None

    def events(self) -> Iterator[BackwardCall | Ended]:
        """Every event as it comes; the last one is always an Ended."""
        deadline = time.monotonic() + self.timeout
        received = bytearray()
        try:
            for chunk in self._chunks(deadline):
                received += chunk
                while (end := received.find(b"\n")) >= 0:
                    event = read(bytes(received[:end]), self.path.name)
                    del received[: end + 1]
                    yield event
                    if isinstance(event, Ended):
                        return
                    if time.monotonic() >= deadline:  # judging may take longer than the script's loop does
                        break
            if time.monotonic() >= deadline:
                yield Ended("timeout")
            else:
                yield Ended("died", (self._death(),))
        except Garbled as problem:
            yield Ended("died", (f"what {self.path.name} tells cannot be read ({problem})",))
        finally:
            self.close()

    def _chunks(self, deadline: float) -> Iterator[bytes]:
        """What comes on the events' pipe; what is printed is drained beside it."""
        assert self._process.stdout is not None and self._process.stderr is not None
        events = self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(events, selectors.EVENT_READ)
            selector.register(self._process.stderr, selectors.EVENT_READ)
            while selector.get_map() and events in (key.fileobj for key in selector.get_map().values()):
                remaining = deadline - time.monotonic()
                ready = selector.select(remaining) if remaining > 0 else []
                if not ready:
                    return
                for key, _ in ready:
                    chunk = os.read(key.fd, 1 << 20)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is events:
                        yield chunk
                    else:
                        self.printed = (self.printed + chunk)[-KEPT:]

    def _death(self) -> str:
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return f"{self.path.name} closed its connection"
        if status < 0:
            return f"the process of {self.path.name} was killed by {signal.Signals(-status).name}"
        return f"{self.path.name} ended its process at once (exit code {status})"

    @property
    def output(self) -> str:
        """The end of what the script printed, control characters made visible."""
        text = self.printed.decode("utf-8", "replace")
        return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)

    def close(self) -> None:
        """End the script and everything in its process group. Safe to call twice."""
        if self._process.stderr is not None and not self._process.stderr.closed:
            os.set_blocking(self._process.stderr.fileno(), False)
            with contextlib.suppress(BlockingIOError):  # what it printed last
                while chunk := os.read(self._process.stderr.fileno(), 1 << 20):
                    self.printed = (self.printed + chunk)[-KEPT:]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
