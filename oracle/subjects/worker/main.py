"""The worker's process: private descriptors, limits, then one line of JSON in and one line out."""

import json
import os
import resource
import sys

from . import find, load, run

KEEP = 1 << 16
"""Bytes of the subject's printing that are kept from one case to the next."""

_kept = []
"""Blocks of memory that shift the addresses of what comes later, and with them the order of sets of nodes."""


def serve(config):
    """Load what `config` names, then answer messages until the other side hangs up or says stop."""
    requests, answers = _private_descriptors()
    _limits(config)
    _kept.extend(bytearray(16 * k) for k in range(1, 1 + (config["shift"] or 0) % 64))
    engine = None
    with open(requests, encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            if message["cmd"] == "stop":
                return
            if message["cmd"] == "start":
                engine, reply = _start(config)
            else:
                reply = _answer(engine, message)
            _trim_output()
            _write(answers, json.dumps(reply, separators=(",", ":")).encode() + b"\n")


def _start(config):
    """The engine and the first message: what it offers, or one sentence that says why it cannot run."""
    try:
        loaded = load.load(config)
        engine = find.engine(loaded, config["words"], config.get("class"))
    except load.Refusal as refusal:
        return None, {"protocol": 1, "refused": str(refusal), "methods": refusal.methods}
    loaded.modules.ready = True
    return engine, {
        "protocol": 1,
        "name": f"{os.path.basename(config['file'])}:{engine.cls.__name__}",
        "language": "python",
        "ops": sorted(engine.offered),
        "grads": engine.grads,
        "capabilities": [],
        "has_backward": engine.backward is not None,
        "found": engine.found,
        "methods": sorted(name for name in find.attributes(engine.cls) if isinstance(name, str)),
    }


def _answer(engine, message):
    if message["cmd"] == "trace":
        from . import trace

        return {"id": message["id"], **trace.trace(engine, message)}
    return {"id": message["id"], **run.run(engine, message)}


def _private_descriptors():
    """Move the protocol off descriptors 0 and 1, where the subject reads and prints.

    The subject's input becomes empty; what it prints goes where its errors go, a file of bounded size.
    """
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)
    return requests, answers


def _limits(config):
    memory, output, cpu = config["memory"], config["output"], config["cpu"]
    for what, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(what, (limit, limit))


def _trim_output():
    """Cut the printing of one case down, so that the limit is one of a case and not of a suite."""
    if os.lseek(2, 0, os.SEEK_CUR) > KEEP:
        os.ftruncate(2, KEEP)
        os.lseek(2, KEEP, os.SEEK_SET)


def _write(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
