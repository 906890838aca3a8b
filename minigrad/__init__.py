"""minigrad: a scalar autograd engine with PyTorch's float64 semantics, and small networks.

    from minigrad import Value, tanh

    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    y = tanh(x * w + 5)
    y.backward()
    w.grad  # dy/dw

Ops are methods and functions, named as in torch. Networks are in `minigrad.nn`, `losses` and `optim`;
`minigrad.compile` replays a function without making a graph.
"""

from minigrad import functions
from minigrad.compile import compile as compile
from minigrad.engine import Value
from minigrad.functions import *  # noqa: F403

# By name, not by a star: `from minigrad import *` must not hide Python's own.
from minigrad.functions import abs as abs
from minigrad.functions import pow as pow
from minigrad.functions import round as round
from minigrad.functions import sum as sum

__all__ = ["Value"]
__all__ += functions.__all__
