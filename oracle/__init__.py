"""The test oracle for scalar autograd engines: it finds the rule that is wrong, by the reference of PyTorch.

oracle.check(Value), oracle.check("engine.py")          judge an engine by the whole suite
oracle.diff(root)                                       judge a live minigrad graph
oracle.assert_matches_torch(function, *inputs, engine=Value)
oracle.assert_matches_torch(model, *inputs)             the same of a network, against its torch.nn.Sequential
oracle.record(function, *inputs)                        the program that a function computes
oracle.to_torch(model), oracle.from_torch(sequential)   networks from minigrad to PyTorch, and back
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oracle.version import VERSION as __version__

if TYPE_CHECKING:
    from oracle.api import assert_matches_torch, check, diff
    from oracle.models import from_torch, to_torch
    from oracle.recording import record

__all__ = ["__version__", "assert_matches_torch", "check", "diff", "from_torch", "record", "to_torch"]

_HOME = {
    "check": "oracle.api",
    "diff": "oracle.api",
    "assert_matches_torch": "oracle.api",
    "record": "oracle.recording",
    "to_torch": "oracle.models",
    "from_torch": "oracle.models",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import oracle` alone stays cheap."""
    if name not in _HOME:
        raise AttributeError(f"module 'oracle' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
