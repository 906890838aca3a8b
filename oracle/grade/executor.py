"""Who does the jobs: one interface, and its implementation on this machine.

Judging is pure Python on one core, so the jobs are done by processes. Each is supervised by a thread here, which
gives it one job at a time and replaces it when it dies: a submission that brings a judge down costs itself only.
(A submission's own code runs in a child of the judge, confined; see `oracle.subjects`.)
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from oracle.grade.job import Graded, Job, failed

TRIES = 2
"""How often a job is begun before it is given up: a judge may have been killed for another's memory."""

HOME = str(Path(__file__).resolve().parents[2])

BOOTSTRAP = """
import sys
sys.path.append(sys.argv[2])
from oracle.grade.judge import main
main(int(sys.argv[1]))
"""
"""Starts a judge. `-m` would import from the folder that the command is given in, which may be a submission's."""


class Executor(Protocol):
    """Does jobs."""

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Graded]]:
        """Every job with what came of it, as they end. Closing the iterator ends what is under way."""
        ...


class Local:
    """Processes on this machine, `workers` at a time."""

    def __init__(self, workers: int) -> None:
        self.workers = max(1, workers)

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Graded]]:
        waiting, lock = iter(jobs), threading.Lock()
        done: queue.SimpleQueue[tuple[Job, Graded] | BaseException | None] = queue.SimpleQueue()
        judges = [Judge() for _ in range(self.workers)]

        def supervise(judge: Judge) -> None:
            try:
                while True:
                    with lock:
                        job = next(waiting, None)
                    if job is None or judge.closed:
                        break
                    done.put((job, judge.grade(job)))
            except BaseException as problem:  # told to whoever waits, who would wait for ever otherwise
                done.put(problem)
            done.put(None)

        threads = [threading.Thread(target=supervise, args=(judge,), daemon=True) for judge in judges]
        try:
            for thread in threads:
                thread.start()
            running = len(threads)
            while running:
                item = done.get()
                if item is None:
                    running -= 1
                elif isinstance(item, BaseException):
                    raise item
                else:
                    yield item
        finally:
            for judge in judges:
                judge.stop()
            for judge in judges:
                judge.close()


class Judge:
    """A process that grades one job after the other; started when it is first needed, and again when it died."""

    def __init__(self) -> None:
        self.closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None
        self._lock = threading.Lock()

    def grade(self, job: Job) -> Graded:
        for _ in range(TRIES):
            try:
                line = self._alive()
                line.send(job)
                graded: Graded = line.recv()
                return graded
            except (EOFError, OSError):
                self._end()
        return Graded(failed(job, f"the judge's process died {TRIES} times"))

    def stop(self) -> None:
        """Ask the process to end, and with it the submission that it is at. A `grade` under way gives up."""
        with self._lock:
            self.closed = True
            if self._process is not None:
                self._process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Stop, and wait for the end."""
        self.stop()
        self._end()

    def _alive(self) -> Connection:
        with self._lock:
            if self.closed:
                raise EOFError
            if self._line is None:
                ours, theirs = socket.socketpair()
                with theirs:
                    self._process = subprocess.Popen(
                        [sys.executable, "-P", "-c", BOOTSTRAP, str(theirs.fileno()), HOME],
                        pass_fds=(theirs.fileno(),),
                        stdin=subprocess.DEVNULL,
                        start_new_session=True,  # Ctrl-C is for the one who supervises
                        env={**os.environ, "OMP_NUM_THREADS": "1"},
                    )
                self._line = Connection(ours.detach())
            return self._line

    def _end(self) -> None:
        with self._lock:
            process, self._process, line, self._line = self._process, None, self._line, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if line is not None:
            line.close()
