"""What a run may leave behind: processes and files that bear its mark."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import oracle

from .submissions import TOKEN

PACKAGE = Path(oracle.__file__).parent


def processes(mark: str) -> list[int]:
    """Processes that run and have the mark in their command line, which forks inherit."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            running = (folder / "stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
        except OSError:
            continue
        if running and mark.encode() in words and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def files() -> list[Path]:
    """Files that bear the mark of the attacks, where attacks would put them."""
    places = {"/tmp", "/var/tmp", "/dev/shm", "/", str(Path.home()), str(Path.cwd()), str(PACKAGE)}
    places.add(sysconfig.get_paths()["stdlib"])
    return [path for place in places for path in Path(place).glob(f"*{TOKEN}*")]
