"""The worker's process: private descriptors, then one line of JSON in and one line out."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys

from . import find, load, network, order, run
from .look import attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .engine import Engine

KEEP = 1 << 16
"""Bytes of the subject's printing that are kept from one case to the next."""

NOT_STARTED = {"type": "NotStarted", "message": "the subject could not be loaded", "inside": False}


def serve(config: dict[str, Any]) -> None:
    """Load what `config` names, then answer messages until the other side hangs up or says stop."""
    requests, answers = _private_descriptors()
    encode = json.JSONEncoder(separators=(",", ":")).encode
    clean = load.Clean()
    worker: Worker | None = None
    with open(requests, encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            if message["cmd"] == "stop":
                return
            if message["cmd"] == "start":
                clean.restore()
                worker, reply = _start(config, message.get("edit"))
            elif worker is not None:
                reply = {"id": message["id"], **worker.answer(message)}
            else:
                reply = {"id": message["id"], "error": NOT_STARTED}
            _trim_output()
            _write(answers, encode(reply).encode() + b"\n")


def _start(config: dict[str, Any], edit: list[Any] | None) -> tuple[Worker | None, dict[str, Any]]:
    """The worker and its first message: what it offers, or one sentence that says why it cannot run."""
    try:
        loaded = load.load(config, edit)
        numbered = order.Numbered(backwards=os.environ.get("PYTHONHASHSEED") == order.BACKWARDS)
        engine = find.find(loaded, config["words"], config["class"], numbered)
    except load.Refusal as refusal:
        return None, {"protocol": 1, "refused": str(refusal), "methods": refusal.methods}
    _seed()
    make = network.find_network(loaded, engine)
    return Worker(engine, make, numbered), {
        "protocol": 1,
        "name": f"{_title(config['file'])}:{engine.cls.__name__}",
        "language": "python",
        "ops": sorted(engine.offered),
        "grads": "leaves" if engine.unkept == "inner" else "all",
        "capabilities": ["mlp"] if make else [],
        "has_backward": engine.backward is not None,
        "found": engine.found,
        "methods": sorted(attributes(engine.cls)),
        "absent": [word[0] for word in config["words"] if word[0] not in engine.calls],
    }


def _seed() -> None:
    """Start the random numbers that the subject has loaded where they start in every run: two checks of a file give
    one report."""
    for name in ("random", "numpy.random"):
        if name in sys.modules:
            sys.modules[name].seed(int(os.environ.get("PYTHONHASHSEED", "0")))


def _title(path: str) -> str:
    """A file's name; that of a package's own file with its folder's."""
    folder, name = os.path.split(path)
    return f"{os.path.basename(folder)}/{name}" if name == "__init__.py" else name


class Worker:
    """What there is to ask: the engine, how its networks are made, if there are any, and its nodes' numbers."""

    def __init__(self, engine: Engine, make: network.Make | None, numbered: order.Numbered) -> None:
        self.engine, self.make, self.numbered = engine, make, numbered

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to one message, without its id."""
        self.numbered.case()
        if message["cmd"] == "trace":
            from . import trace  # most workers are never asked for one

            return trace.trace(self.engine, message)
        if message["cmd"] == "network":
            if self.make is None:
                return {"unsupported": "mlp"}
            return network.run_network(self.engine, self.make, message)
        return run.run(self.engine, message)


def _private_descriptors() -> tuple[int, int]:
    """Move the protocol off descriptors 0 and 1, where the subject reads and prints.

    The subject's input becomes empty; what it prints goes where its errors go, a file of bounded size.
    """
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    return requests, answers


def _trim_output() -> None:
    """Cut the printing of one case down, so that the limit is one of a case and not of a suite."""
    with contextlib.suppress(OSError):  # a pipe out of a container: the file at its other end has the limit
        if os.lseek(2, 0, os.SEEK_END) > KEEP:
            os.ftruncate(2, KEEP)
            os.lseek(2, KEEP, os.SEEK_SET)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
