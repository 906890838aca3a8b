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
from pathlib import Path
from typing import IO

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
    """One process. Its stdin and stdout are the protocol's; what it prints on stderr goes to a file in memory.

    A pipe would have to be read, lest a subject that prints much hangs; a file has a limit of its own.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        mark: str = "",
        farewell: Sequence[str] = (),
    ) -> None:
        """Start it. Raises OSError when the command cannot be started.

        mark      "NAME=value" in the environment of everything it starts; "" where it cannot start anything
        farewell  a command that ends what is not a child of ours when it is killed: a container
        """
        self._mark, self._farewell, self._environment = mark.encode(), farewell, dict(environment)
        self._ended = False
        self._output = _printed()
        self._process = subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output,
            env=self._environment,
            start_new_session=True,
        )
        _limit_output(self._process.pid)
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
        if status > 128 and status - 128 in set(signal.Signals):  # as bubblewrap and shells tell of it
            status = 128 - status
        if status == -signal.SIGXCPU:
            return Lost("timeout", "the subject used up its processor time")
        if status == -signal.SIGXFSZ:
            return Lost("output limit", "the subject printed more than the limit allows")
        if status < 0:
            return Lost("died", f"the subject's process was killed by {_signal(-status)}")
        return Lost("died", f"the subject's process ended by itself, with exit code {status}")

    def output(self, limit: int) -> str:
        """The first `limit` bytes of what the subject printed."""
        return os.pread(self._output.fileno(), max(0, limit), 0).decode("utf-8", "replace")

    def kill(self) -> None:
        """End the process, everything in its group, and what has left its group. Safe to call twice."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # all of it has ended already
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._farewell and not self._ended:
            self._ended = True
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    self._farewell, env=self._environment, capture_output=True, timeout=20, check=False
                )
        while self._mark and sum(map(_end, _marked(self._mark))):
            time.sleep(0.001)
        self._all_gone()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _all_gone(self) -> None:
        """Wait until nobody holds the other end of the answers: what bubblewrap started ends a little after it."""
        end = time.monotonic() + 1.0
        while (left := end - time.monotonic()) > 0 and select.select([self._from], [], [], left)[0]:
            try:
                if not os.read(self._from, 1 << 20):
                    return
            except BlockingIOError:
                continue

    def close(self) -> None:
        self.kill()
        self._output.close()


def _limit_output(pid: int) -> None:
    """Limit the files that a process writes from outside: it may be a client, which does not limit itself."""
    import resource

    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (OUTPUT, OUTPUT))


def _printed() -> IO[bytes]:
    """An empty file for what a subject prints; its process only appends to it."""
    if not hasattr(os, "memfd_create"):
        return tempfile.TemporaryFile()
    import fcntl

    memory = os.memfd_create("subject's output")
    fcntl.fcntl(memory, fcntl.F_SETFL, os.O_APPEND)
    return os.fdopen(memory, "w+b", buffering=0)


def _marked(mark: bytes) -> list[int]:
    """Processes that run and have a mark in their environment; none where there is no /proc."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            held = (folder / "environ").read_bytes().split(b"\0")
            running = (folder / "stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
        except OSError:  # it has ended, or is someone else's
            continue
        if mark in held and running:
            found.append(int(folder.name))
    return found


def _end(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a realtime signal
        return f"signal {number}"
