"""The gallery: five examples that people start from, with their numbers and pictures.

Each example is a function that computes, draws before and after backward, and returns all of it as data.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import plots

from minigrad import Value, tanh
from minigrad.nn import MLP
from oracle import suite, torch_reference
from oracle.case import Case
from oracle.checking import check
from oracle.judge.causes import Demands
from oracle.judge.equations import Traits, runs
from oracle.judge.locals import judge
from oracle.recording import Traced, record
from oracle.reports import layout
from oracle.subjects import open_subject

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / ".github" / "pictures"
FORWARD_ONLY = ROOT / "tests" / "gallery" / "forward_only.py"


@dataclass
class Example:
    """numbers: what is printed, by name; said: whole sentences; pictures: by file name, DOT graphs or SVG."""

    title: str
    numbers: dict[str, float] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    pictures: dict[str, Any] = field(default_factory=dict)

    def draw(self, name: str, root: Value, title: str, rankdir: str = "LR") -> None:
        """A picture of the graph as it is now."""
        self.pictures[name] = root.draw(rankdir, title=title)

    def grads(self, of: str, *values: Value) -> None:
        """The gradients of these values, each named as a derivative of `of`."""
        self.numbers |= {f"d{of}/d{value.label}": value.grad for value in values}


def leaves(**data: float) -> list[Value]:
    """A leaf for every keyword, labelled with it."""
    return [Value(x, label) for label, x in data.items()]


def named(value: Value, label: str) -> Value:
    """The value, with a label."""
    value.label = label
    return value


# 1 ------------------------------------------------------------------------------------------------------------


def expression() -> Example:
    """d = a*b + c: the graph that is built while computing, and an engine that stops there."""
    example = Example("d = a*b + c")
    a, b, c = leaves(a=2.0, b=-3.0, c=10.0)
    e = named(a * b, "e")
    d = named(e + c, "d")
    example.draw("1-expression-before", d, "d = a*b + c, before backward")
    d.backward()
    example.draw("1-expression-after", d, "d = a*b + c, after backward")
    first, second = d.parents
    example.numbers = {"d": d.data, "its first parent": first.data, "its second parent": second.data}
    example.grads("d", a, b, c, e)
    return example


def forward_only() -> Example:
    """What the oracle says of an engine without backward, two of whose operators are misnamed."""
    example = Example(f"oracle check {FORWARD_ONLY.relative_to(ROOT)}")
    with open_subject(str(FORWARD_ONLY)) as subject:
        report = check(subject, list(suite.cases()), Demands())
    missing = [c.message for c in report.causes if c.severity == "missing" and c.op in ("sub", "div")]
    example.said = [report.error or "", *missing]
    example.numbers = {"exit code": report.exit_code}
    return example


# 2 ------------------------------------------------------------------------------------------------------------


def neuron(x: Sequence[float], w: Sequence[float], b: float) -> tuple[Value, list[Value]]:
    """tanh(x·w + b), every number labelled; and its leaves: inputs, weights, bias."""
    xs = [Value(number, f"x{i}") for i, number in enumerate(x, 1)]
    ws = [Value(number, f"w{i}") for i, number in enumerate(w, 1)]
    bias = Value(b, "b")
    total, *products = [named(xi * wi, f"{xi.label}·{wi.label}") for xi, wi in zip(xs, ws, strict=True)]
    for product in products:
        total = named(total + product, f"{total.label} + {product.label}")
    n = named(named(total, "x·w") + bias, "n")
    return named(tanh(n), "o"), [*xs, *ws, bias]


def three_inputs() -> Example:
    """A neuron with three inputs, from the left and from the top."""
    example = Example("o = tanh(x·w + b) with three inputs")
    o, inputs = neuron((1.6, 0.8, 0.5), (1.3, 1.2, 1.1), 0.2)
    for rankdir in ("LR", "TB"):
        example.draw(f"2-neuron-before-{rankdir}", o, "o = tanh(x·w + b), before backward", rankdir)
    o.backward()
    for rankdir in ("LR", "TB"):
        example.draw(f"2-neuron-after-{rankdir}", o, "o = tanh(x·w + b), after backward", rankdir)
    example.numbers = {"o": o.data}
    example.grads("o", *inputs)
    return example


# 3 ------------------------------------------------------------------------------------------------------------


def f(x: Any) -> Any:
    """3x² - 4x + 5, of a float or of a Value."""
    return 3 * x**2 - 4 * x + 5


def quotient(function: Callable[..., float], at: Sequence[float], i: int = 0, h: float = 1e-6) -> float:
    """The slope of a function in its i-th input: how much it changes over a small step, by the step."""
    up, down = list(at), list(at)
    up[i] += h / 2
    down[i] -= h / 2
    return (function(*up) - function(*down)) / (up[i] - down[i])


def slope(x: float) -> float:
    """The slope of f by backward."""
    leaf = Value(x)
    f(leaf).backward()
    return leaf.grad


def slopes() -> Example:
    """The slope of a curve, by difference quotient and by backward, and slopes of a*b + c in each input."""
    example = Example("f(x) = 3x² - 4x + 5")
    example.numbers["f(3)"] = f(3.0)
    for name, x in (("3", 3.0), ("2/3", 2 / 3)):
        example.numbers[f"f'({name}), by quotient"] = quotient(f, [x])
        example.numbers[f"f'({name}), by backward"] = slope(x)
    a, b, c = leaves(a=2.0, b=-3.0, c=10.0)
    d = named(named(a * b, "a*b") + c, "d")
    d.backward()
    for i, leaf in enumerate((a, b, c)):
        by_quotient = quotient(lambda a, b, c: a * b + c, (2.0, -3.0, 10.0), i)
        example.numbers[f"dd/d{leaf.label}, by quotient"] = by_quotient
        example.numbers[f"dd/d{leaf.label}, by backward"] = leaf.grad
    curve = named(f(Value(3.0, "x")), "f(x)")
    curve.backward()
    example.draw("3-parabola-after", curve, "f(x) = 3x² - 4x + 5 at 3, after backward")
    example.pictures["3-tangents"] = plots.parabola(f, [(x, slope(x)) for x in (2 / 3, 3.0)])
    return example


# 4 ------------------------------------------------------------------------------------------------------------


def chain() -> Example:
    """L = (a*b + c) * f: a longer chain of the chain rule."""
    example = Example("L = (a*b + c) * f")
    a, b, c, f = leaves(a=2.0, b=-3.0, c=10.0, f=-2.0)
    e = named(a * b, "e")
    d = named(e + c, "d")
    L = named(d * f, "L")
    example.draw("4-chain-before", L, "L = (a*b + c) * f, before backward")
    L.backward()
    example.draw("4-chain-after", L, "L = (a*b + c) * f, after backward")
    example.numbers = {"L": L.data}
    example.grads("L", a, b, c, d, e, f)
    return example


def settle(name: str = "b", claimed: float = 4.0) -> Example:
    """Who is right about dL/db? PyTorch, for the whole program; and the one equation that decides."""
    example = Example(f"a widely copied text says dL/d{name} = {claimed:g}")

    def loss(a: Traced, b: Traced, c: Traced, f: Traced) -> Traced:
        e = (a * b).named("e")
        d = (e + c).named("d")
        return (d * f).named("L")

    program = record(loss, 2.0, -3.0, 10.0, -2.0)
    case = Case("gallery/chain", program)
    (reference,) = torch_reference.run(case)
    names = [program.name(value) for value in range(len(program))]
    at = names.index(name)
    grad = (*reference.grad[:at], claimed, *reference.grad[at + 1 :])
    (checked,) = judge(list(runs(case, [replace(reference, grad=grad)])), Traits({}))
    example.numbers = {
        f"dL/d{name}, PyTorch": reference.grad[at] or 0.0,
        "equations that fail": len(checked.failures),
    }
    for failure in checked.failures:
        consumers = " and ".join(names[consumer] for consumer, _ in failure.feeders)
        example.said.append(
            f"The equation of {names[failure.value]} fails: {consumers} owes it {failure.expected:g}, "
            f"the text has {failure.observed:g}."
        )
    return example


def two_inputs() -> Example:
    """The neuron x = (1, 2), w = (3, -1), b = 1."""
    example = Example("o = tanh(x·w + b), x = (1, 2), w = (3, -1), b = 1")
    return finish(example, "4-neuron", *neuron((1.0, 2.0), (3.0, -1.0), 1.0))


def finish(example: Example, name: str, o: Value, inputs: Sequence[Value]) -> Example:
    """Draw a neuron, backpropagate, draw again, and note its numbers."""
    example.draw(f"{name}-before", o, "o = tanh(x·w + b), before backward")
    o.backward()
    example.draw(f"{name}-after", o, "o = tanh(x·w + b), after backward")
    (n,) = o.parents
    example.numbers = {"n": n.data, "o": o.data}
    example.grads("o", *inputs)
    return example


def training(steps: int = 20, rate: float = 0.05) -> Example:
    """Twenty steps of gradient descent: forward, loss, backward, step."""
    example = Example("a tiny training loop")
    xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    targets = [1.0, -1.0, -1.0, 1.0]
    model = MLP(3, [4, 4, 1], activation="tanh", rng=random.Random(1))
    losses = []
    for _ in range(steps):
        outputs: list[Any] = [model(x) for x in xs]
        loss: Any = sum((o - t) ** 2 for o, t in zip(outputs, targets, strict=True))
        model.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= rate * parameter.grad
        losses.append(loss.data)
    example.numbers = {"parameters": len(model.parameters())}
    example.numbers |= {f"loss, step {i}": losses[i] for i in (0, 1, 4, 9, steps - 1)}
    example.pictures["4-training"] = plots.losses(losses)
    return example


# 5 ------------------------------------------------------------------------------------------------------------


def step_by_step() -> Example:
    """b = tanh(x + y) * x by hand, one op at a time; then by backward, which gets the same bits."""
    example = Example("b = tanh(x + y) * x")
    x, y, s, t, b = graph = hand_made()
    example.draw("5-steps-0", b, "forward")
    b.grad = 1.0
    example.draw("5-steps-1", b, "the root: db/db = 1")
    t.grad = b.grad * x.data
    x.grad = b.grad * t.data
    example.draw("5-steps-2", b, "through ×: each operand gets the other one's data")
    s.grad = t.grad * (1.0 - t.data * t.data)
    example.draw("5-steps-3", b, "through tanh: times 1 - t²")
    x.grad += s.grad
    y.grad = s.grad
    example.draw("5-steps-4", b, "through +: passed on, and added to what x already had")
    again = hand_made()
    again[-1].backward()
    for mine, its in zip(graph, again, strict=True):
        example.numbers[mine.label] = mine.data
        example.numbers[f"db/d{mine.label}, by hand"] = mine.grad
        example.numbers[f"db/d{mine.label}, by backward"] = its.grad
    return example


def hand_made() -> tuple[Value, Value, Value, Value, Value]:
    x, y = leaves(x=2.0, y=3.0)
    s = named(x + y, "s")
    t = named(tanh(s), "t")
    return x, y, s, t, named(t * x, "b")


def saturated() -> Example:
    """The neuron x = (2, 0), w = (-3, 1), b = 2.5."""
    example = Example("o = tanh(x·w + b), x = (2, 0), w = (-3, 1), b = 2.5")
    return finish(example, "5-neuron", *neuron((2.0, 0.0), (-3.0, 1.0), 2.5))


# Output -------------------------------------------------------------------------------------------------------

GALLERY = (
    (expression, forward_only),
    (three_inputs,),
    (slopes,),
    (chain, settle, two_inputs, training),
    (step_by_step, saturated),
)


def write(pictures: dict[str, Any], directory: Path) -> list[str]:
    """Write the pictures as SVG. Returns their names; where there is no layout engine, a sentence instead."""
    directory.mkdir(parents=True, exist_ok=True)
    said = []
    for name, picture in pictures.items():
        svg, note = (picture, None) if isinstance(picture, str) else layout.svg(picture.source)
        if svg is None:
            said.append(note or "")
            continue
        text = svg if isinstance(picture, str) else layout.adaptive(svg)
        (directory / f"{name}.svg").write_text(text, encoding="utf-8")
        said.append(f"{name}.svg")
    return list(dict.fromkeys(said))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/gallery", description="The README's examples, computed and drawn."
    )
    parser.add_argument("directory", nargs="?", type=Path, default=PICTURES, help="for the pictures")
    directory = parser.parse_args(arguments).directory
    for number, examples in enumerate(GALLERY, 1):
        for make in examples:
            example = make()
            print(f"\n{number}. {example.title}")
            for name, x in example.numbers.items():
                print(f"   {name:<24} {x!r}")
            for sentence in example.said:
                print(f"   {sentence}")
            written = write(example.pictures, directory)
            if written:
                print(f"   pictures: {', '.join(written)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
