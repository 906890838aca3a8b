"""Ops that generated code writes into a line instead of calling their functions, as text."""

from __future__ import annotations

from typing import Final

INLINE: Final[dict[str, tuple[str, ...]]] = {
    "add": ("{0} + {1}", "{g}", "{g}"),
    "sub": ("{0} - {1}", "{g}", "-{g}"),
    "mul": ("{0} * {1}", "{g} * {1}", "{g} * {0}"),
    "neg": ("-{0}", "-{g}"),
    "relu": ("0.0 if {0} < 0.0 else {0}", "(0.0 if {y} <= 0.0 else {g})"),
    "square": ("{0} * {0}", "{g} * (2.0 * {0})"),
    "tanh": ("tanh({0})", "{g} * (1.0 - {y} * {y})"),
    "pow(2.0)": ("{0} * {0}", "{g} * (2.0 * {0})"),
    "pow(3.0)": ("{0} * {0} * {0}", "{g} * (3.0 * ({0} * {0}))"),
}
"""Op → its data; then what each operand is owed. {g} is the gradient of the result, {y} the result, {0} and {1} the
operands. The formulas are those of `rules`; a test compares the two."""
