"""The vocabulary: everything the oracle knows of an op, one row an op, named as in PyTorch.

To teach the oracle a new op, add a row. The suite, the local check, the references and the tables in the
documentation follow from it.

Bounds are in units of u = 2^-53, relative to the exact result unless they say absolute. Beside each stands
what was measured (against 50 digits, at 1,000 random ordinary operands) for the worst of the equivalent forms
that engines use, and that form: in u, or as a share of a bound that has several parts. The bound is at least
twice that, and it is never widened to silence an engine. The forms are in tests/forms.py;
`pytest -s tests/test_vocabulary.py -k measured` prints the table.
"""

from __future__ import annotations

from collections.abc import Mapping

from oracle.vocabulary.activations import ACTIVATIONS
from oracle.vocabulary.arithmetic import ARITHMETIC
from oracle.vocabulary.elementary import ELEMENTARY
from oracle.vocabulary.op import Bound, Kink, Measure, Op, Point
from oracle.vocabulary.parametrised import PARAMETRISED

__all__ = ["ROWS", "VOCABULARY", "Bound", "Kink", "Measure", "Op", "Point"]

ROWS: tuple[Op, ...] = (*ARITHMETIC, *ELEMENTARY, *ACTIVATIONS, *PARAMETRISED)
"""Every op, in the order in which the suite and the tables have them."""

VOCABULARY: Mapping[str, Op] = {row.name: row for row in ROWS}
"""The same by name."""
