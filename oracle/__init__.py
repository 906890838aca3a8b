"""The test oracle for scalar autograd engines: it finds the rule that is wrong, by the reference of PyTorch.

oracle.diff(root)                                       judge a live minigrad graph
oracle.assert_matches_torch(function, *inputs, engine=Value)
oracle.record(function, *inputs)                        the program that a function computes
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oracle.version import VERSION as __version__

if TYPE_CHECKING:
    from oracle.api import assert_matches_torch, diff
    from oracle.record import record

__all__ = ["__version__", "assert_matches_torch", "diff", "record"]

_HOME = {"diff": "oracle.api", "assert_matches_torch": "oracle.api", "record": "oracle.record"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import oracle` alone stays cheap."""
    if name not in _HOME:
        raise AttributeError(f"module 'oracle' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
