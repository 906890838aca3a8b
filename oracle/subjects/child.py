"""A child process that answers one line for every line: pipelined, watched, and killed with all it started."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

CHUNK = 1 << 16
"""Bytes written at a time, and requests prepared ahead."""

OUTPUT = 1 << 24
"""Bytes that a subject may print in one case before it is stopped."""


class Lost(Exception):
    """There will be no answer. reason: as in `Answer.lost`; the message is a sentence for its detail."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Request:
    """One line to send, and the longest line (bytes) that can be an answer to it."""

    line: bytes
    longest: int


class Child:
    """One process. Its stdin and stdout are the protocol's; what it prints on stderr goes to a file."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Raises OSError when the command cannot be started."""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output,
            env=dict(environment),
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    def ask(self, requests: Iterable[Request], timeout: float) -> Iterator[tuple[bytes, float]]:
        """Send the requests as fast as they are taken; yield (answer, seconds since the one before), in order.

        `timeout` is in seconds, for each answer. Raises Lost.
        """
        more, limits = iter(requests), list[int]()
        unsent, received = bytearray(), bytearray()
        last = time.perf_counter()
        exhausted = False
        while True:
            while not exhausted and len(unsent) < CHUNK:
                request = next(more, None)
                if request is None:
                    exhausted = True
                else:
                    unsent += request.line
                    limits.append(request.longest)
            if not limits:
                return
            self._wait(bool(unsent), last + timeout - time.perf_counter(), timeout)
            if unsent:
                self._send(unsent)
            ended = self._receive(received)
            while limits and (end := received.find(b"\n")) >= 0:
                now = time.perf_counter()
                yield bytes(received[:end]), now - last
                del received[: end + 1], limits[0]
                last = now
            if limits and len(received) > limits[0]:
                raise Lost(
                    "protocol",
                    f"the answer is longer than {limits[0]} bytes, the most that this case can need",
                )
            if ended and limits:
                raise self._death()

    def _wait(self, sending: bool, remaining: float, timeout: float) -> None:
        poller = select.poll()
        poller.register(self._from, select.POLLIN)
        if sending:
            poller.register(self._to, select.POLLOUT)
        if remaining <= 0 or not poller.poll(remaining * 1000):
            raise Lost("timeout", f"no answer after {timeout:g} s")

    def _send(self, unsent: bytearray) -> None:
        try:
            del unsent[: os.write(self._to, unsent[:CHUNK])]
        except BlockingIOError:
            return  # the pipe is full: the child has to read first
        except BrokenPipeError:
            unsent.clear()  # it has ended; what it answered before that is still to be read

    def _receive(self, received: bytearray) -> bool:
        """Read what there is; whether the child has closed its end."""
        try:
            chunk = os.read(self._from, 1 << 20)
        except BlockingIOError:
            return False
        received += chunk
        return not chunk

    def _death(self) -> Lost:
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return Lost("died", "the subject closed its connection")
        if status == -signal.SIGXCPU:
            return Lost("timeout", "the subject used up its processor time")
        if status < 0:
            return Lost("died", f"the subject's process was killed by {signal.Signals(-status).name}")
        return Lost("died", f"the subject's process ended by itself, with exit code {status}")

    def output(self, limit: int) -> str:
        """The first `limit` bytes of what the subject printed."""
        return os.pread(self._output.fileno(), max(0, limit), 0).decode("utf-8", "replace")

    def kill(self) -> None:
        """End the process and everything in its group. Safe to call twice."""
        with contextlib.suppress(ProcessLookupError):  # all of it has ended already
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def close(self) -> None:
        self.kill()
        self._output.close()
