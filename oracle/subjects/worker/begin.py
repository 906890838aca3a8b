"""The first thing that a launched process does: confine itself, then become what it is for."""

from __future__ import annotations

import json
import os
import signal
import sys

from .confine import enter


def begin(text: str) -> None:
    """Confine this process, then serve as the Python worker or become the program that `text` names."""
    config = json.loads(text)
    program = config.get("program")
    os.chdir(config["folder"])
    if program is None:
        from .main import serve  # all of it is imported while that is still cheap

        confine = config["confine"]
        if enter(confine):
            if not confine["layers"]:
                from .guard import install

                install(confine["readable"], confine["hidden"])
            serve(config)
        return
    if enter(config["confine"]):
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python; exec would pass that on
            signal.signal(ignored, signal.SIG_DFL)
        try:
            os.execvp(program[0], program)
        except OSError as problem:
            sys.exit(f"{program[0]} cannot be run: {problem.strerror}")
