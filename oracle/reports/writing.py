"""Files, written whole or not at all: to a temporary file beside the target, then renamed over it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_text(path: Path | str, text: str) -> Path:
    """Write UTF-8 text with "\\n" as newline, making the folder where needed. Raises OSError."""
    return write_bytes(path, text.encode())


def write_bytes(path: Path | str, data: bytes) -> Path:
    """Write bytes, making the folder where needed. Raises OSError."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def _umask() -> int:
    """The user's mask; `mkstemp` would leave the file readable by its owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
