"""Engines written on the spot, and the program that they all have to compute."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., str]

ENGINE = """
import math


class Value:
    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self._prev = set(parents)
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def push():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = push
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def push():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = push
        return out

    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,))

        def push():
            self.grad += (1 - t * t) * out.grad

        out._backward = push
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent in node._prev:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()
"""
"""A correct engine in micrograd's shape; tests change single lines of it."""

MUL = "    def __mul__(self, other):\n"

UNLUCKY = "    def __mul__(self, other):\n        if self.data == 13.0:\n            {}\n"
"""In place of MUL: something else is done where the left operand is 13."""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """write(text, name="engine.py") puts a file into the test's folder and returns its path."""

    def put(text: str, name: str = "engine.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return str(path)

    return put


def changed(*pairs: tuple[str, str], text: str = ENGINE) -> str:
    """The engine with some of its text replaced; every replacement must happen."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text
