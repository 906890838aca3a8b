"""PyTorch as the reference: one op at given numbers (local), and whole cases (global), all in float64.

The only place of the project that imports torch (`module`), and only when a function here is called.

local        one op at many points
run, values  a whole case; the gradients or only the values of a whole program
run_all      many cases, packed
wide         whether a program is one for batches
"""

from __future__ import annotations

from oracle.torch_reference.local import Local, local
from oracle.torch_reference.module import torch, version
from oracle.torch_reference.whole import run, run_all, values, wide

__all__ = ["Local", "local", "run", "run_all", "torch", "values", "version", "wide"]
