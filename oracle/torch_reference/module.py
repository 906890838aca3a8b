"""The module itself, and its version."""

from __future__ import annotations

import os
import re
import warnings
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@cache
def torch() -> Any:
    """The module, with vectorised kernels switched off: those differ from the scalar ones in the last bit."""
    os.environ.setdefault("ATEN_CPU_CAPABILITY", "default")
    with warnings.catch_warnings():  # without NumPy, which nothing here needs, torch warns of that
        warnings.filterwarnings("ignore", "Failed to initialize NumPy")
        import torch as module

    module.set_num_threads(1)
    return module


def version() -> str:
    """PyTorch's version without the build suffix. Does not import it: reads its version file or, where there is none,
    its metadata, which takes longer than judging a hundred cases. Raises PackageNotFoundError."""
    found = find_spec("torch")
    if found is not None and found.origin is not None:
        with suppress(OSError):
            text = Path(found.origin).with_name("version.py").read_text(encoding="utf-8")
            if said := re.search(r"^__version__ = ['\"]([^'\"+]+)", text, re.MULTILINE):
                return said[1]
    from importlib import metadata

    return metadata.version("torch").partition("+")[0]
