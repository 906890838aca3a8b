"""The corpus of test engines: what each file in `engines/` does wrong, or does differently and right.

A faulty engine has exactly one defect. Where that defect has a line, the line ends in `# BUG`: the statement
that pushes, computes, overwrites or seeds wrongly, or the `def` nearest to what is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ENGINES = Path(__file__).parent / "engines"
MARK = "# BUG"

Kind = Literal[
    "forward", "derivative", "accumulation", "schedule", "seed", "lifecycle", "missing", "raises", "resource"
]
Severity = Literal["wrong", "imprecise", "missing", "policy"]


@dataclass(frozen=True)
class Faulty:
    """An engine with one defect, and the cause that a judge must name."""

    file: str
    kind: Kind
    op: str | None
    """The vocabulary's name, or None when the whole engine is at fault."""
    operand: int | None = None
    """The operand whose gradient is wrong; None for both, or where no operand is concerned."""
    form: str | None = None
    """The only operand form at fault ("number-value", "value-number", "value-int", …), or None for all."""
    mistake: str = ""
    """A short name for what was done."""
    severity: Severity = "wrong"
    also: tuple[str, ...] = ()
    """Other answers that are right too, each "kind:op" or "kind:op:form"."""
    note: str = ""


@dataclass(frozen=True)
class Correct:
    """An engine that is right, in whatever style."""

    file: str
    note: str
    policies: tuple[str, ...] = ()
    """Choices of this engine that differ from PyTorch's and are no faults."""


@dataclass(frozen=True)
class Unusable:
    """A file that cannot be driven at all: one sentence and exit code 3, not a cause."""

    file: str
    note: str


FAULTY: tuple[Faulty, ...] = (
    Faulty(
        "float16_storage.py",
        "forward",
        None,
        mistake="float16-storage",
        severity="imprecise",
        note="half precision",
    ),
    Faulty(
        "one_gradient_for_all.py",
        "accumulation",
        None,
        mistake="shared-gradient",
        note="the list that holds a gradient is a default argument, one for all values",
    ),
    Faulty(
        "averages_shares.py",
        "accumulation",
        None,
        mistake="altered",
        also=("schedule:-",),
        note="what a value gets is divided by the number of its users",
    ),
    Faulty(
        "square_slope_halved.py",
        "derivative",
        "square",
        mistake="own-operand",
        also=("derivative:pow",),
        note="value ** 2 is a square, whose slope lacks its factor 2",
    ),
    Faulty(
        "abs_by_root.py",
        "raises",
        "abs",
        mistake="ZeroDivisionError",
        note="abs as (x²)**0.5 raises at 0, and so do relu, max and min, which are made of it",
    ),
    Faulty(
        "rounded_storage.py",
        "forward",
        None,
        mistake="rounded-storage",
        note="every number is rounded to four decimals when it is stored",
    ),
    Faulty(
        "float32_without_mul.py",
        "forward",
        None,
        mistake="float32-storage",
        severity="imprecise",
        note="single precision, in an engine that cannot multiply",
    ),
    Faulty(
        "gradient_starts_at_one.py",
        "accumulation",
        None,
        mistake="start",
        note="the constructor gives every value a gradient of 1",
    ),
    Faulty(
        "clips_gradients.py",
        "accumulation",
        None,
        mistake="altered",
        also=("schedule:-",),
        note="backward cuts every gradient off at ±1 before it passes it on",
    ),
    Faulty(
        "late_binding.py",
        "derivative",
        "mul",
        mistake="one-sided",
        note="closures made in a loop: both push to the loop's last operand",
    ),
    Faulty(
        "product_over_data.py",
        "raises",
        "mul",
        mistake="ZeroDivisionError",
        note="the derivative of a product as the product over the operand, which may be 0",
    ),
    Faulty(
        "pow_log_of_negative_base.py",
        "raises",
        "pow",
        mistake="ValueError",
        note="the exponent's gradient through log(base), whatever the base",
    ),
    Faulty(
        "neg_adds_in_place.py",
        "raises",
        "neg",
        mistake="AttributeError",
        note="neg calls the gradient's __iadd__, which a plain number does not have: after zeroing it raises",
    ),
    Faulty(
        "closure_on_operand.py",
        "schedule",
        "tanh",
        operand=0,
        mistake="detached",
        also=("derivative:tanh",),
        note="tanh hangs its closure on its operand",
    ),
    Faulty(
        "parent_left_out.py",
        "schedule",
        "pow",
        operand=1,
        mistake="detached",
        also=("derivative:pow",),
        note="pow pushes to its exponent, which is no parent of its node",
    ),
    Faulty(
        "mul_left_untold.py",
        "schedule",
        "mul",
        operand=0,
        mistake="detached",
        note="mul pushes to both operands, but only the right one is a parent of its node",
    ),
    Faulty(
        "mul_overwrites.py",
        "accumulation",
        "mul",
        mistake="overwrite",
        note="mul assigns both gradients instead of adding to them",
    ),
    Faulty(
        "mul_overwrites_second.py",
        "accumulation",
        "mul",
        operand=1,
        mistake="overwrite",
        note="mul adds to its first operand's gradient but assigns the second's",
    ),
    Faulty(
        "add_overwrites_second.py",
        "accumulation",
        "add",
        operand=1,
        mistake="overwrite",
        note="add assigns the second operand's gradient",
    ),
    Faulty(
        "tanh_overwrites.py",
        "accumulation",
        "tanh",
        operand=0,
        mistake="overwrite",
        note="tanh assigns its operand's gradient",
    ),
    Faulty(
        "rsub_swapped.py",
        "forward",
        "sub",
        form="number-value",
        mistake="operands-swapped",
        note="number - value returns value - number",
    ),
    Faulty(
        "rdiv_swapped.py",
        "forward",
        "div",
        form="number-value",
        mistake="operands-swapped",
        note="number / value returns value / number",
    ),
    Faulty(
        "pow_exponent_not_reduced.py",
        "derivative",
        "pow",
        operand=0,
        mistake="exponent-not-reduced",
        note="the power rule forgets to lower the exponent",
    ),
    Faulty(
        "tanh_slope_at_input.py",
        "derivative",
        "tanh",
        operand=0,
        mistake="input-for-output",
        note="1 - x² where 1 - tanh(x)² is meant",
    ),
    Faulty(
        "exp_slope_is_input.py",
        "derivative",
        "exp",
        operand=0,
        mistake="input-for-output",
        note="exp pushes x times the upstream gradient instead of exp(x)",
    ),
    Faulty(
        "mul_by_grad.py",
        "derivative",
        "mul",
        operand=0,
        mistake="grad-for-data",
        note="mul multiplies by the other operand's gradient instead of its data",
    ),
    Faulty(
        "add_upstream_dropped.py",
        "derivative",
        "add",
        mistake="upstream-dropped",
        note="add pushes 1 to both operands, whatever arrives from above",
    ),
    Faulty(
        "mul_upstream_dropped.py",
        "derivative",
        "mul",
        operand=1,
        mistake="upstream-dropped",
        note="mul forgets the upstream gradient for its second operand",
    ),
    Faulty(
        "relu_upstream_dropped.py",
        "derivative",
        "relu",
        operand=0,
        mistake="upstream-dropped",
        note="relu pushes 0 or 1 without the upstream gradient",
    ),
    Faulty(
        "sub_sign.py",
        "derivative",
        "sub",
        operand=1,
        mistake="sign",
        note="sub adds the upstream gradient to the subtrahend",
    ),
    Faulty(
        "neg_sign.py",
        "derivative",
        "neg",
        operand=0,
        mistake="sign",
        note="neg passes the gradient on unchanged",
    ),
    Faulty(
        "relu_slope_always_one.py",
        "derivative",
        "relu",
        operand=0,
        mistake="mask-missing",
        note="relu passes the gradient on for negative inputs too",
    ),
    Faulty(
        "div_sign_second.py",
        "derivative",
        "div",
        operand=1,
        mistake="sign",
        note="the divisor's gradient lacks its minus sign",
    ),
    Faulty("seed_zero.py", "seed", None, mistake="seed-zero", note="the root's gradient starts at 0"),
    Faulty("seed_missing.py", "seed", None, mistake="seed-missing", note="the root's gradient is never set"),
    Faulty(
        "seed_is_data.py",
        "seed",
        None,
        mistake="seed-is-data",
        note="the root's gradient starts at its own data",
    ),
    Faulty(
        "preorder.py",
        "schedule",
        None,
        mistake="preorder",
        note="nodes are run in pre-order, before all their consumers",
    ),
    Faulty(
        "topo_not_reversed.py",
        "schedule",
        None,
        mistake="not-reversed",
        note="the closures run from the leaves to the root",
    ),
    Faulty(
        "sigmoid_half_slope.py",
        "derivative",
        "sigmoid",
        operand=0,
        mistake="factor-missing",
        note="sigmoid's slope lacks the factor 1 - s",
    ),
    Faulty(
        "log_slope_inverse_output.py",
        "derivative",
        "log",
        operand=0,
        mistake="output-for-input",
        note="log divides by its output instead of its input",
    ),
    Faulty(
        "misnamed_rsub.py",
        "missing",
        "sub",
        form="number-value",
        mistake="misnamed-dunder",
        severity="missing",
        note="the reflected subtraction is called __rsubtract__, which Python never calls",
    ),
    Faulty(
        "closure_never_attached.py",
        "derivative",
        "relu",
        operand=0,
        mistake="closure-not-attached",
        note="relu defines its closure and never attaches it",
    ),
    Faulty(
        "leaky_forward.py",
        "forward",
        "relu",
        mistake="leaky",
        note="relu lets a hundredth of negative inputs through (its slope is that of relu)",
    ),
    Faulty(
        "pow_slope_of_magnitude.py",
        "derivative",
        "pow",
        operand=0,
        mistake="negative-inputs",
        note="the power rule takes the magnitude of its base: wrong for negative inputs and even powers only",
    ),
    Faulty(
        "exponent_gradient_dropped.py",
        "derivative",
        "pow",
        operand=1,
        mistake="gradient-dropped",
        note="Value ** Value (and number ** Value) never pushes to the exponent",
    ),
    Faulty(
        "add_pushes_twice_to_first.py",
        "derivative",
        "add",
        mistake="wrong-operand",
        note="the second push of add goes to the first operand again",
    ),
    Faulty(
        "mul_slopes_exchanged.py",
        "derivative",
        "mul",
        mistake="operands-swapped",
        note="each operand of mul gets its own data as slope",
    ),
    Faulty(
        "sqrt_slope_times_root.py",
        "derivative",
        "sqrt",
        operand=0,
        mistake="inverse-missing",
        note="half times the root instead of half over the root",
    ),
    Faulty(
        "div_not_squared.py",
        "derivative",
        "div",
        operand=1,
        mistake="not-squared",
        note="the divisor's rule divides by b instead of b²",
    ),
    Faulty(
        "div_first_by_itself.py",
        "derivative",
        "div",
        operand=0,
        mistake="operand-confused",
        note="the dividend's slope is 1/a instead of 1/b",
    ),
    Faulty(
        "cos_sign.py",
        "derivative",
        "cos",
        operand=0,
        mistake="sign",
        note="the slope of cos lacks its minus sign",
    ),
    Faulty(
        "sin_sign.py",
        "derivative",
        "sin",
        operand=0,
        mistake="sign",
        note="the slope of sin has a minus sign",
    ),
    Faulty(
        "abs_slope_always_one.py",
        "derivative",
        "abs",
        operand=0,
        mistake="negative-inputs",
        note="abs passes the gradient on unchanged for negative inputs",
    ),
    Faulty(
        "max_ties_full.py",
        "derivative",
        "maximum",
        mistake="ties-both",
        note="at a tie both operands of maximum get the whole gradient",
    ),
    Faulty(
        "min_ties_none.py",
        "derivative",
        "minimum",
        mistake="ties-none",
        note="at a tie neither operand of minimum gets anything",
    ),
    Faulty(
        "max_to_the_smaller.py",
        "derivative",
        "maximum",
        mistake="operands-swapped",
        note="maximum sends the gradient to the smaller operand",
    ),
    Faulty(
        "tanh_upstream_dropped.py",
        "derivative",
        "tanh",
        operand=0,
        mistake="upstream-dropped",
        note="tanh pushes its slope without the upstream gradient",
    ),
    Faulty(
        "exp_upstream_dropped.py",
        "derivative",
        "exp",
        operand=0,
        mistake="upstream-dropped",
        note="exp pushes exp(x) without the upstream gradient",
    ),
    Faulty(
        "relu_mask_from_gradient.py",
        "derivative",
        "relu",
        operand=0,
        mistake="mask-from-gradient",
        note="relu masks by the sign of the upstream gradient, not of its data",
    ),
    Faulty(
        "tanh_reads_own_gradient.py",
        "derivative",
        "tanh",
        operand=0,
        mistake="own-gradient",
        note="tanh multiplies by its operand's gradient instead of its output's",
    ),
    Faulty(
        "sigmoid_slope_at_input.py",
        "derivative",
        "sigmoid",
        operand=0,
        mistake="input-for-output",
        note="x(1 - x) where s(1 - s) is meant",
    ),
    Faulty(
        "relu_slope_inverted.py",
        "derivative",
        "relu",
        operand=0,
        mistake="mask-inverted",
        note="relu passes the gradient where it is off",
    ),
    Faulty(
        "neg_detached.py",
        "derivative",
        "neg",
        operand=0,
        mistake="detached",
        note="neg returns a node without parents",
    ),
    Faulty(
        "rmul_detached.py",
        "derivative",
        "mul",
        operand=1,
        form="number-value",
        mistake="detached",
        note="number * value is a node without parents",
    ),
    Faulty(
        "number_add_scaled.py",
        "derivative",
        "add",
        operand=0,
        form="value-number",
        mistake="constant-as-slope",
        note="value + number has the number as slope",
    ),
    Faulty(
        "rdiv_slope.py",
        "derivative",
        "div",
        operand=1,
        form="number-value",
        mistake="sign",
        note="number / value lacks the minus sign of its slope",
    ),
    Faulty(
        "rpow_log_missing.py",
        "derivative",
        "pow",
        operand=1,
        form="number-value",
        mistake="factor-missing",
        note="number ** value lacks the factor log(base)",
    ),
    Faulty(
        "leaf_exp_slope.py",
        "derivative",
        "exp",
        operand=0,
        mistake="input-for-output",
        note="exp has its input as slope, in an engine that shows leaf gradients only",
    ),
    Faulty(
        "leaf_mul_slope.py",
        "derivative",
        "mul",
        operand=1,
        mistake="operand-confused",
        note="mul's second slope is its second operand, in an engine that shows leaf gradients only",
    ),
    Faulty(
        "shadowed_backward.py",
        "derivative",
        "mul",
        mistake="shadowed-backward",
        also=("seed:mul",),
        note="mul's closure is attached as out.backward: never called in a graph, and shadows the method",
    ),
    Faulty(
        "log_slope_truncated.py",
        "derivative",
        "log",
        operand=0,
        mistake="constant-truncated",
        severity="imprecise",
        note="1/x comes out 2.6e-12 too large: ln 10 is cut off",
    ),
    Faulty(
        "exp_slope_truncated.py",
        "derivative",
        "exp",
        operand=0,
        mistake="constant-truncated",
        severity="imprecise",
        note="exp's slope is 5.7e-10 too large: multiplied by the logarithm of a rounded e",
    ),
    Faulty(
        "mul_slope_1e12.py",
        "derivative",
        "mul",
        operand=0,
        mistake="constant-factor",
        severity="imprecise",
        note="mul's first slope is 1e-12 too small",
    ),
    Faulty(
        "tanh_slope_1e9.py",
        "derivative",
        "tanh",
        operand=0,
        mistake="constant-factor",
        severity="imprecise",
        note="tanh's slope is 1e-9 too large",
    ),
    Faulty(
        "sin_finite_difference.py",
        "derivative",
        "sin",
        operand=0,
        mistake="finite-difference",
        severity="imprecise",
        note="the slope of sin is a central difference, 1.7e-9 off",
    ),
    Faulty("log_epsilon.py", "forward", "log", mistake="epsilon", note="log adds 1e-5 to its argument"),
    Faulty(
        "div_epsilon.py",
        "forward",
        "div",
        mistake="epsilon",
        severity="imprecise",
        note="division adds 1e-8 to the divisor; wrong, not imprecise, where the divisor is small",
    ),
    Faulty(
        "exp_clamped.py",
        "forward",
        "exp",
        mistake="clamped",
        note="exp stops growing at 4 (its slope is its value)",
    ),
    Faulty(
        "tanh_saturates_early.py", "forward", "tanh", mistake="clamped", note="tanh is exactly ±1 beyond 3"
    ),
    Faulty(
        "exp_rounded_e.py", "forward", "exp", mistake="constant-truncated", note="exp is a power of 2.718"
    ),
    Faulty("sigmoid_minus_missing.py", "forward", "sigmoid", mistake="sign", note="1/(1 + e^x)"),
    Faulty("floor_division.py", "forward", "div", mistake="floor-division", note="// for /"),
    Faulty(
        "div_by_number_floored.py",
        "forward",
        "div",
        form="value-number",
        mistake="floor-division",
        note="value / number is floored",
    ),
    Faulty(
        "pow_times_exponent.py",
        "forward",
        "pow",
        mistake="wrong-operator",
        note="value ** k is value times k",
    ),
    Faulty(
        "sub_swapped.py",
        "forward",
        "sub",
        mistake="operands-swapped",
        note="sub computes b - a (its slopes are those of a - b)",
    ),
    Faulty(
        "log_base_ten.py",
        "forward",
        "log",
        mistake="wrong-function",
        note="the natural logarithm is taken to base ten",
    ),
    Faulty(
        "min_is_max.py",
        "forward",
        "minimum",
        mistake="wrong-function",
        note="minimum returns the larger operand (and pushes to the smaller)",
    ),
    Faulty(
        "float32_storage.py",
        "forward",
        None,
        mistake="float32-storage",
        severity="imprecise",
        note="every number is stored in single precision",
    ),
    Faulty(
        "everything_overwrites.py",
        "accumulation",
        None,
        mistake="overwrite",
        note="backward assigns every gradient",
    ),
    Faulty("sub_typo_overwrites.py", "accumulation", "sub", operand=1, mistake="overwrite", note="=- for -="),
    Faulty(
        "pow_overwrites.py",
        "accumulation",
        "pow",
        operand=0,
        mistake="overwrite",
        note="pow assigns its base's gradient",
    ),
    Faulty(
        "exp_overwrites.py",
        "accumulation",
        "exp",
        operand=0,
        mistake="overwrite",
        note="exp assigns its operand's gradient",
    ),
    Faulty(
        "div_overwrites_first.py",
        "accumulation",
        "div",
        operand=0,
        mistake="overwrite",
        note="div assigns its first operand's gradient",
    ),
    Faulty(
        "relu_resets_first.py",
        "accumulation",
        "relu",
        operand=0,
        mistake="reset",
        note="relu's closure sets its operand's gradient to 0 before adding",
    ),
    Faulty(
        "slopes_keyed_by_parent.py",
        "accumulation",
        None,
        mistake="keyed-by-parent",
        also=("accumulation:sub", "accumulation:div"),
        note="slopes in a dictionary by parent: a - a pushes -1 twice, a / a likewise; a + a and a * a come out right",
    ),
    Faulty(
        "parents_set_with_slopes.py",
        "accumulation",
        None,
        mistake="duplicate-parent-lost",
        also=("accumulation:add", "accumulation:sub", "accumulation:mul", "accumulation:div"),
        note="one slope per parent: a + a pushes 1 instead of 2, a * a pushes a instead of 2a",
    ),
    Faulty("seed_two.py", "seed", None, mistake="seed-two", note="the root's gradient starts at 2"),
    Faulty("seed_zero_functions.py", "seed", None, mistake="seed-zero", note="backprop starts the root at 0"),
    Faulty(
        "breadth_first.py",
        "schedule",
        None,
        mistake="breadth-first",
        note="a queue with a visited set: nodes run in breadth-first order",
    ),
    Faulty(
        "append_outside_test.py",
        "schedule",
        None,
        mistake="visited-test-misplaced",
        note="a node is appended on every visit, so shared nodes run more than once",
    ),
    Faulty(
        "stack_appends_twice.py",
        "schedule",
        None,
        mistake="appended-twice",
        note="tested when pushed, not when popped: a node that waits twice is appended twice",
    ),
    Faulty(
        "only_the_root.py", "schedule", None, mistake="root-only", note="only the root's closure is called"
    ),
    Faulty(
        "marks_children_early.py",
        "schedule",
        None,
        mistake="visited-test-misplaced",
        note="all children are marked before the first is explored, so a child that a sibling needs comes too late",
    ),
    Faulty(
        "per_path_accumulated.py",
        "schedule",
        None,
        mistake="per-path",
        note="each path passes on the whole gradient so far, not its own share",
    ),
    Faulty(
        "kahn_counts_duplicates.py",
        "schedule",
        None,
        mistake="count-wrong",
        note="counted once per edge, released once per parent: a node used twice by one consumer never goes on",
    ),
    Faulty(
        "sorted_by_distance.py",
        "schedule",
        None,
        mistake="breadth-first",
        note="sorted by the shortest distance from the root instead of the longest",
    ),
    Faulty(
        "visited_by_equality.py",
        "schedule",
        None,
        mistake="equality-by-value",
        note="a list of visited nodes searched by value: of two nodes with equal data only one is explored",
    ),
    Faulty(
        "visited_survives.py",
        "lifecycle",
        None,
        mistake="mutable-default",
        note="the visited set is a mutable default and survives the call",
    ),
    Faulty(
        "backward_zeroes_graph.py",
        "lifecycle",
        None,
        mistake="zeroes-graph",
        note="backward sets every gradient of its graph to 0 first, so leaves cannot accumulate across graphs",
    ),
    Faulty(
        "add_resets_in_forward.py",
        "lifecycle",
        "add",
        operand=0,
        mistake="reset",
        note="the forward pass of add sets its first operand's gradient to 0",
    ),
    Faulty(
        "relu_in_place.py",
        "lifecycle",
        "relu",
        operand=0,
        mistake="mutates-operand",
        note="relu clips its operand's data in place",
    ),
    Faulty(
        "add_in_place.py",
        "lifecycle",
        "add",
        operand=0,
        mistake="mutates-operand",
        note="add changes its first operand's data",
    ),
    Faulty(
        "tape_never_cleared.py",
        "lifecycle",
        None,
        mistake="stale-gradient",
        note="the whole tape is replayed, so the gradients of earlier graphs are passed on again",
    ),
    Faulty(
        "no_rtruediv.py",
        "missing",
        "div",
        form="number-value",
        mistake="absent",
        severity="missing",
        note="no __rtruediv__",
    ),
    Faulty(
        "no_radd.py",
        "missing",
        "add",
        form="number-value",
        mistake="absent",
        severity="missing",
        note="no __radd__, so sum() fails",
    ),
    Faulty(
        "no_rmul.py",
        "missing",
        "mul",
        form="number-value",
        mistake="absent",
        severity="missing",
        note="no __rmul__",
    ),
    Faulty(
        "misnamed_truediv.py",
        "missing",
        "div",
        mistake="misnamed-dunder",
        severity="missing",
        note="_truediv_: no division at all",
    ),
    Faulty(
        "misnamed_sub.py",
        "missing",
        "sub",
        mistake="misnamed-dunder",
        severity="missing",
        note="__subtract__: no subtraction at all",
    ),
    Faulty(
        "mul_numbers_not_wrapped.py",
        "missing",
        "mul",
        form="value-number",
        mistake="no-coercion",
        severity="missing",
        note="value * number fails: mul does not wrap its operand",
    ),
    Faulty(
        "mul_ints_not_wrapped.py",
        "missing",
        "mul",
        form="value-int",
        mistake="no-coercion",
        severity="missing",
        note="value * int fails, value * float works",
    ),
    Faulty(
        "reflected_loop.py",
        "missing",
        "sub",
        form="number-value",
        mistake="mutual-recursion",
        severity="missing",
        also=("raises:sub:number-value", "resource:sub:number-value"),
        note="__rsub__ returns other - self, which calls __rsub__ again",
    ),
    Faulty(
        "tanh_returns_nothing.py",
        "missing",
        "tanh",
        mistake="return-missing",
        severity="missing",
        note="tanh returns None",
    ),
    Faulty(
        "math_not_imported.py",
        "missing",
        "exp",
        mistake="import-missing",
        severity="missing",
        also=("raises:exp",),
        note="exp needs math, which is not imported",
    ),
    Faulty(
        "pow_by_log_of_base.py",
        "raises",
        "pow",
        mistake="log-of-base",
        note="(-3) ** 2 raises: the power goes through log(base)",
    ),
    Faulty(
        "closure_typo.py",
        "raises",
        "relu",
        operand=0,
        mistake="name-misspelt",
        note="a misspelt name in relu's closure: backward raises",
    ),
    Faulty(
        "abs_divides_by_itself.py",
        "raises",
        "abs",
        operand=0,
        mistake="zero-division",
        note="abs raises at 0 only, where PyTorch returns 0",
    ),
    Faulty(
        "pow_int_only.py",
        "missing",
        "pow",
        form="value-float",
        mistake="assertion-too-narrow",
        severity="missing",
        note="value ** float fails an assertion",
    ),
    Faulty(
        "sigmoid_calls_bare_exp.py",
        "missing",
        "sigmoid",
        mistake="name-misspelt",
        severity="missing",
        also=("raises:sigmoid",),
        note="sigmoid calls exp, which only exists as math.exp",
    ),
    Faulty(
        "exponential_order.py",
        "resource",
        None,
        mistake="visited-test-misplaced",
        severity="policy",
        note="nodes are tested after their children were explored: right numbers in exponential time",
    ),
    Faulty(
        "lazy_tanh_at_input.py",
        "derivative",
        "tanh",
        operand=0,
        mistake="input-for-output",
        note="1 - x² for 1 - tanh(x)², in an engine that computes by forward(), when all is noted",
    ),
    Faulty(
        "operands_on_class.py",
        "derivative",
        "mul",
        mistake="state-shared",
        note="an operation keeps its operands on its class, where the next call of mul puts its own",
    ),
    Faulty(
        "relu_leaky_slope.py",
        "derivative",
        "relu",
        operand=0,
        mistake="leaky",
        note="relu cuts negative inputs off, but passes a hundredth of the gradient on to them",
    ),
    Faulty(
        "sub_of_copy.py",
        "derivative",
        "sub",
        operand=1,
        mistake="detached",
        note="a - b adds a new node with -b's number, from which nothing leads to b",
    ),
    Faulty(
        "pow_whole_exponents.py",
        "forward",
        "pow",
        form="value-float",
        mistake="exponent-truncated",
        note="the exponent is made an integer first",
    ),
    Faulty(
        "rsub_assigned.py",
        "forward",
        "sub",
        form="number-value",
        mistake="operands-swapped",
        note="__rsub__ = __sub__, as is right for add and mul",
    ),
    Faulty(
        "worklist_repeats.py",
        "schedule",
        None,
        mistake="visited-test-missing",
        note="a work list without a visited set: a shared node goes once for each way to it, with all it has so far",
    ),
    Faulty(
        "neg_in_place.py",
        "lifecycle",
        "neg",
        operand=0,
        mistake="mutates-operand",
        note="neg changes the sign of its operand's own data",
    ),
)

CORRECT: tuple[Correct, ...] = (
    Correct("operators_from_table.py", "operators hung on the class by helpers, in loops at top level"),
    Correct(
        "frees_graph.py",
        "backward lets go of the graph behind it, as PyTorch does",
        policies=("second-backward",),
    ),
    Correct("max_by_abs.py", "maximum and minimum as (a + b ± |a - b|)/2"),
    Correct("pow_by_multiplying.py", "whole powers as products, others through exp and log"),
    Correct("closures.py", "micrograd's shape: closures, set of parents, composed operators"),
    Correct("native_division.py", "every operator has a rule of its own"),
    Correct("value_exponent.py", "powers of two Values, the exponent's gradient through log"),
    Correct(
        "explicit_stack.py",
        "iterative depth-first ordering with enter and leave marks, the whole list of functions",
    ),
    Correct(
        "local_gradients.py", "the newest style: slots, tuple parents, local gradients from the forward pass"
    ),
    Correct(
        "kahn_counting.py",
        "no topological sort: a node goes when its last consumer is done; value/gradient/parents",
    ),
    Correct(
        "per_path.py",
        "walks every path on its own, so a deep shared graph takes exponential time",
        policies=("exponential",),
    ),
    Correct(
        "pairs.py", "parents as a list of (node, local derivative) pairs, all functions, ties split in halves"
    ),
    Correct(
        "tape.py",
        "a global tape replayed backwards, adjoints apart from grad; parents hidden, data called v",
        policies=("second-backward-as-pytorch",),
    ),
    Correct(
        "module_functions.py",
        "functions at module level (tanh, ln, relu), backprop(root), class Tensor, gradient",
    ),
    Correct("operation_classes.py", "one subclass per operation, slopes worked out in the backward pass"),
    Correct(
        "leaf_gradients.py",
        "only leaves keep a derivative; flow in a dictionary",
        policies=("leaf-gradients",),
    ),
    Correct("value_equality.py", "__eq__ and __hash__ by value, hostile to sets and dictionaries of nodes"),
    Correct("equality_node.py", "a == b is a node; class Val, backwards()"),
    Correct(
        "backprop_seed.py",
        "backprop(seed); slopes by operator name; value is a property over _value; constants stay numbers",
    ),
    Correct("capitals.py", "ReLU, Tanh and Exp with capitals"),
    Correct("numpy_scalar.py", "numpy 0-d data and gradients"),
    Correct("pow_by_log.py", "powers through exp and log of the magnitude, with the sign of whole exponents"),
    Correct(
        "tanh_by_exp.py", "tanh as (e^2x - 1)/(e^2x + 1), the lecture's form", policies=("tanh-through-exp",)
    ),
    Correct(
        "tanh_by_two_exps.py",
        "tanh as (e^x - e^-x)/(e^x + e^-x), its slope as 4/(e^x + e^-x)²",
        policies=("tanh-through-exp",),
    ),
    Correct("sigmoid_two_branches.py", "sigmoid by the sign of its argument, never overflowing"),
    Correct("relu_one_at_zero.py", "relu's slope at 0 is 1", policies=("relu-kink-one",)),
    Correct(
        "abs_one_at_zero.py",
        "the slope of abs at 0 is 1; ties of max and min go to the second operand",
        policies=("abs-kink-one",),
    ),
    Correct(
        "requires_grad.py",
        "a gradient only for requires_grad=True, the second parameter; constants have None",
    ),
    Correct("chatty.py", "prints while it goes backwards"),
    Correct("guarded_imports.py", "imports inside try, for drawing and for speed"),
    Correct("training_script.py", "a training loop of twenty thousand steps at top level, without a guard"),
    Correct("network_inside.py", "Neuron, Layer and MLP in the same file"),
    Correct("network_beside.py", "its network is a file beside it, network_beside_nn.py"),
    Correct(
        "closures_only.py",
        "no backward method: whoever uses it walks the graph and calls the closures",
        policies=("no-backward",),
    ),
    Correct("slotted_closures.py", "slots, so that nothing can be attached to a node; prev"),
    Correct(
        "gradient_property.py",
        "the gradient is a read-only property over a table of its own",
        policies=("read-only-gradient",),
    ),
    Correct(
        "unary_classes.py",
        "unary functions are callable objects with capitals; back_prop(root), of and derivative",
    ),
    Correct("network_sizes.py", "MLP([n, h, o]), biases before weights, a list as output; backpropagate()"),
    Correct(
        "network_three_numbers.py", "MLP(n, h, o), weights and biases held by the layer; backward_movement()"
    ),
    Correct("dunder_misc.py", "in-place operators, float(), bool() and ordering beside the arithmetic"),
    Correct(
        "lecture_gaps.py",
        "right, without number - value and number / value",
        policies=("no-reflected-sub", "no-reflected-div"),
    ),
    Correct("lazy.py", "ops note what is to be done, a class for each; forward() computes"),
    Correct(
        "gradients_returned.py",
        "get_gradients(y) returns a mapping from nodes to gradients, and leaves the nodes alone",
        policies=("exponential",),
    ),
    Correct(
        "gradient_method.py", "grad() is a method; what it gives is kept by function objects behind the nodes"
    ),
    Correct("boxed_gradient.py", "a gradient is a list of one number"),
    Correct("grad_none_first.py", "a gradient is None until something arrives"),
    Correct(
        "inner_gradients_zeroed.py",
        "backward sets the gradients of all but leaves back to 0",
        policies=("leaf-gradients",),
    ),
    Correct(
        "root_not_kept.py",
        "shares are handed down, so that the root's own gradient stays 0",
        policies=("exponential",),
    ),
    Correct("relu_returns_operand.py", "relu of a positive number is that node itself, abs likewise"),
    Correct("radd_for_sum.py", "0 + value hands the value back, for sum()"),
    Correct("composed.py", "tanh, sigmoid, sqrt and relu put together from exp and arithmetic"),
    Correct(
        "path_queue.py",
        "every path on its own by a queue of (node, share), in memory that grows with their number",
        policies=("exponential",),
    ),
)

UNUSABLE: tuple[Unusable, ...] = (
    Unusable("misspelt_init.py", "__inti__ for __init__: nothing can be constructed"),
    Unusable("no_engine.py", "no class that takes a number and has arithmetic"),
    Unusable("scaffold.py", "a scaffold: every body is a TODO"),
    Unusable("tensor_engine.py", "a tensor engine that takes no single number"),
    Unusable("constructor_raises.py", "the constructor raises AttributeError"),
)

COMPANIONS = ("network_beside_nn.py",)
"""Files that belong to an engine of the table and are none themselves."""


def path(row: Faulty | Correct | Unusable) -> Path:
    return ENGINES / row.file


def line(row: Faulty) -> int | None:
    """The 1-based line that carries the mark, or None for something that is absent altogether."""
    marked = [
        number
        for number, text in enumerate(path(row).read_text(encoding="utf-8").splitlines(), start=1)
        if text.endswith(MARK)
    ]
    if row.kind == "missing":
        assert not marked, f"{row.file}: a missing operator has no line"
        return None
    assert len(marked) == 1, f"{row.file}: {len(marked)} marked lines"
    return marked[0]


def unlisted() -> set[str]:
    """Files in the folder that no row speaks of, and rows without a file: empty when all is well."""
    rows: tuple[Faulty | Correct | Unusable, ...] = (*FAULTY, *CORRECT, *UNUSABLE)
    listed = {row.file for row in rows} | set(COMPANIONS)
    return listed ^ {file.name for file in ENGINES.glob("*.py")}
