"""The module itself, and its version."""

from __future__ import annotations

import os
import warnings
from functools import cache
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
    """PyTorch's version without the build suffix, read from its metadata: does not import it."""
    from importlib import metadata

    return metadata.version("torch").partition("+")[0]
