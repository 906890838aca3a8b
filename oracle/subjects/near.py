"""Methods that look like a misspelled operator: `__subtract__`, `_truediv_`, `__inti__`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

DUNDERS: Mapping[str, tuple[str, ...]] = {
    "__init__": ("initialize", "initialise", "constructor"),
    "__add__": ("addition", "plus", "sum"),
    "__radd__": ("raddition", "rplus"),
    "__sub__": ("subtract", "subtraction", "minus"),
    "__rsub__": ("rsubtract", "rsubtraction", "rminus"),
    "__mul__": ("multiply", "multiplication", "times"),
    "__rmul__": ("rmultiply", "rmultiplication", "rtimes"),
    "__truediv__": ("div", "divide", "division", "truedivide", "truedivision"),
    "__rtruediv__": ("rdiv", "rdivide", "rdivision", "rtruedivide", "rtruedivision", "truerdiv"),
    "__pow__": ("power", "exponent"),
    "__rpow__": ("rpower",),
    "__neg__": ("negate", "negative", "negation"),
    "__repr__": (),
}
"""Every operator's method, and words that people write for it."""


PYTHONS = {*DUNDERS, *dir(int), *dir(list), *dir(set), *dir(type), "__matmul__", "__itruediv__", "__ipow__"}
"""Special methods that mean something to Python, so that none of them is a misspelling."""


BARE = {dunder.strip("_"): dunder for dunder in DUNDERS if dunder not in ("__init__", "__repr__")}
"""Methods that carry an operator's name without any underscore: `a.pow(b)` is there, `a ** b` is not."""


def near_misses(methods: Iterable[str]) -> Mapping[str, str]:
    """Python's name → the name found in its place, for methods that a class meant to define and did not."""
    given = set(methods)
    out: dict[str, str] = {}
    for name in sorted(given - PYTHONS):
        meant = _meant(name) if name.startswith("_") and name.endswith("_") else BARE.get(name)
        if meant is not None and meant not in given:
            out.setdefault(meant, name)
    return out


def _meant(name: str) -> str | None:
    """The operator's method that a name resembles most: letter by letter, by its meaning, or but for one slip."""
    core = name.strip("_").lower()
    for alike in (
        lambda dunder: core == dunder.strip("_"),
        lambda dunder: core in DUNDERS[dunder],
        lambda dunder: len(core) > 2 and _one_slip(core, dunder.strip("_")),
    ):
        for dunder in DUNDERS:
            if alike(dunder):
                return dunder
    return None


def _one_slip(a: str, b: str) -> bool:
    """Whether a is b with one letter wrong, missing or too many, or two neighbours exchanged."""
    if len(a) == len(b):
        wrong = [i for i in range(len(a)) if a[i] != b[i]]
        if len(wrong) == 1:
            return len(a) > 3
        i = wrong[0]
        return wrong == [i, i + 1] and a[i] == b[i + 1] and a[i + 1] == b[i]
    short, long = sorted((a, b), key=len)
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
