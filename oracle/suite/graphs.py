"""Level graph: shared sub-expressions of every shape, and a few plain programs people know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from oracle.case import Case
from oracle.recording import record


def _a_plus_a(a: Any) -> Any:
    return a + a


def _square(a: Any) -> Any:
    return a * a


def _a_minus_a(a: Any) -> Any:
    return a - a + a * 2.0


def _product_sum(a: Any, b: Any, c: Any, f: Any) -> Any:
    e = (a * b).named("e")
    d = (e + c).named("d")
    return (d * f).named("L")


def _diamond(a: Any, b: Any) -> Any:
    m = a * b
    return (m + 1.5) * (m - 2.5)


def _long_left_arm(a: Any, b: Any) -> Any:
    m = a * b
    left = ((m * 1.5) * 0.7) * 1.1
    return left + m * 3.0


def _long_right_arm(a: Any, b: Any) -> Any:
    m = a * b
    right = ((m * 1.5) * 0.7) * 1.1
    return m * 3.0 + right


def _skip(a: Any, b: Any) -> Any:
    m = a * b
    n = m * 1.3
    return (n * m) + n


def _skip_reversed(a: Any, b: Any) -> Any:
    m = a * b
    n = m * 1.3
    return n + (m * n)


def _nested_diamonds(a: Any, b: Any) -> Any:
    m = a + b
    n = m * m * 0.5
    k = n + m
    return k * n + k


def _uneven_ladder(a: Any, b: Any) -> Any:
    x, y = a * 1.1, b * 0.9
    for step in (0.7, -1.2, 0.4):
        x, y = x * y + step, y + x * step
    return x * y


def _late_use(a: Any, b: Any) -> Any:
    m = a * b
    n = ((m + 1.0) * 2.0 + b) * 0.5
    return n * m + m


def _three_users_of_different_depth(a: Any, b: Any) -> Any:
    m = a - b
    one = m * 2.0
    two = (one + m) * 0.3
    three = (two + one) * m
    return three + two + one


def _doubling(a: Any) -> Any:
    x = a * 1.0
    for _ in range(10):
        x = (x + x) * 0.6
    return x


def _fibonacci(depth: int) -> Callable[[Any, Any], Any]:
    def fibonacci(a: Any, b: Any) -> Any:
        x, y = a * 1.0, b * 1.0
        for _ in range(depth):
            x, y = y, (x + y) * 0.55
        return y

    return fibonacci


def _balanced_sum(terms: list[Any]) -> Any:
    """Neighbours added up, then their sums, and so on: as shallow as a sum can be."""
    while len(terms) > 1:
        terms = [x + y for x, y in zip(terms[::2], terms[1::2], strict=False)] + terms[len(terms) & ~1 :]
    return terms[0]


def _wide(a: Any, b: Any) -> Any:
    terms = [a * (0.1 * k + 0.3) + b for k in range(24)]
    return _balanced_sum(terms)


def _fan_in(count: int) -> Callable[[Any], Any]:
    def fan_in(a: Any) -> Any:
        terms = [a * a for _ in range(count // 2)]
        return _balanced_sum(terms)

    return fan_in


def _equal_but_distinct(a: Any, b: Any) -> Any:
    return (a * 3.0) * (b * 3.0) + a


def _unused_leaf(a: Any, b: Any) -> Any:
    return a * a


def _outsider(a: Any, b: Any) -> Any:
    m = a * b
    _ = m * m
    return m + a


def _root_is_leaf(a: Any) -> Any:
    return a


def _chain(length: int) -> Callable[[Any], Any]:
    def chain(a: Any) -> Any:
        x = a
        for k in range(length):
            x = x * 1.001 if k % 2 else x + 0.01
        return x

    return chain


SHAPES: tuple[tuple[str, Callable[..., Any], tuple[float, ...], str], ...] = (
    ("a-plus-a", _a_plus_a, (3.0,), "both operands are one value"),
    ("square", _square, (-1.7,), "both operands are one value, and each slope is the other operand"),
    ("a-minus-a", _a_minus_a, (2.6,), "contributions of one op that cancel"),
    ("product-sum", _product_sum, (2.0, -3.0, 10.0, -2.0), "L = (a*b + c) * f, the lecture's expression"),
    ("diamond", _diamond, (1.3, -0.8), "two paths of equal length"),
    ("long-left-arm", _long_left_arm, (1.3, -0.8), "two paths, the left one longer"),
    ("long-right-arm", _long_right_arm, (1.3, -0.8), "two paths, the right one longer"),
    ("skip", _skip, (1.3, -0.8), "an edge that jumps over a node"),
    ("skip-reversed", _skip_reversed, (1.3, -0.8), "the same with operands exchanged"),
    ("nested-diamonds", _nested_diamonds, (0.7, -1.9), "diamonds inside diamonds"),
    ("uneven-ladder", _uneven_ladder, (0.7, -1.9), "two strands that cross"),
    ("late-use", _late_use, (0.7, -1.9), "a value used near the leaves and again at the root"),
    ("three-users", _three_users_of_different_depth, (0.7, -1.9), "three users, each of another depth"),
    ("doubling-10", _doubling, (0.7,), "1,024 paths through ten doublings"),
    ("fibonacci-12", _fibonacci(12), (0.7, -1.9), "a number of paths that grows like Fibonacci's"),
    ("wide", _wide, (0.7, -1.9), "two leaves with 24 users each"),
    ("fan-in-10000", _fan_in(10_000), (0.7,), "a leaf whose gradient is the sum of 10,000 contributions"),
    ("equal-but-distinct", _equal_but_distinct, (2.0, 2.0), "distinct nodes that hold equal numbers"),
    ("unused-leaf", _unused_leaf, (1.5, 4.0), "a leaf that does not lead to the root"),
    ("outsider", _outsider, (1.3, -0.8), "a value that is also used by what does not lead to the root"),
    ("root-is-leaf", _root_is_leaf, (4.0,), "backward on a leaf"),
    ("chain-100", _chain(100), (0.9,), "a chain of 100 nodes"),
    ("chain-500", _chain(500), (0.9,), "a chain of 500 nodes"),
)


def cases() -> Iterator[Case]:
    for name, function, inputs, reason in SHAPES:
        yield Case(f"graph/{name}", record(function, *inputs), reason)
    yield Case(
        "graph/fibonacci-42",
        record(_fibonacci(42), 0.7, -1.9),
        "a number of paths that no engine can walk one by one",
        policy="exponential-paths",
    )
    yield Case(
        "graph/chain-5000",
        record(_chain(5000), 0.9),
        "a chain deeper than Python's default recursion limit",
        policy="recursion-depth",
    )


def deep() -> Iterator[Case]:
    """What takes longer than all other cases together."""
    yield Case(
        "graph/chain-100000",
        record(_chain(100_000), 0.9),
        "a chain as long as a training loop that forgot to stop its graph",
        policy="recursion-depth",
    )
