"""The mathematics of the common ops, as text: the value, and the slope by each operand."""

from __future__ import annotations

from collections.abc import Mapping

FORMULAS: Mapping[str, tuple[str, ...]] = {
    "add": ("y = a + b", "dy/da = 1", "dy/db = 1"),
    "sub": ("y = a - b", "dy/da = 1", "dy/db = -1"),
    "mul": ("y = a · b", "dy/da = b", "dy/db = a"),
    "div": ("y = a / b", "dy/da = 1/b", "dy/db = -a/b²"),
    "pow": ("y = a^b", "dy/da = b · a^(b-1)", "dy/db = a^b · log a"),
    "neg": ("y = -a", "dy/da = -1"),
    "relu": ("y = max(a, 0)", "dy/da = 1 where a > 0, else 0"),
    "tanh": ("y = tanh a", "dy/da = 1 - y²"),
    "exp": ("y = e^a", "dy/da = y"),
    "log": ("y = log a", "dy/da = 1/a"),
    "sigmoid": ("y = 1/(1 + e^-a)", "dy/da = y · (1 - y)"),
    "sqrt": ("y = √a", "dy/da = 1/(2y)"),
    "abs": ("y = |a|", "dy/da = sign a"),
    "sin": ("y = sin a", "dy/da = cos a"),
    "cos": ("y = cos a", "dy/da = -sin a"),
    "square": ("y = a²", "dy/da = 2a"),
    "reciprocal": ("y = 1/a", "dy/da = -y²"),
    "maximum": ("y = max(a, b)", "dy/da = 1 where a > b", "dy/db = 1 where b > a"),
    "minimum": ("y = min(a, b)", "dy/da = 1 where a < b", "dy/db = 1 where b < a"),
}
"""op → the value, then the slope by each operand."""
