"""compile: record a computation once, and replay it as straight-line Python, without making a graph.

    margin = minigrad.compile(lambda point, side: (1 - model(point) * side).relu())
    margin([0.5, -1.0], 1.0).backward()                  # as without compile: gradients in model.parameters()
    losses = margin.backward_sum(rows, 1 / len(rows))    # a whole batch, in one loop

Numbers, their order and so their bits are the object graph's.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any

from minigrad.engine import NO_GRAD, Value
from minigrad.recording import Recording, RecordingError, record, shape_of
from minigrad.source import Source

LIMIT = 30_000
"""Values and products in one recording. Python compiles a hundred of them in a millisecond; functions beyond this are
larger than a processor's caches, and slower for it."""


def compile(function: Callable[..., Any], check: bool = False) -> Compiled:
    """`function`, to be recorded at its first call and replayed at every later one.

    It takes numbers, or lists of numbers as deep as you like, and returns a Value, or a tuple of Values of which the
    first is the one to differentiate. Values that it uses from outside, such as a network's weights, are its
    parameters: their data is read at every call, and `backward` adds to their gradients.

    A replay does what was done while recording. Kinks are no danger, because the rules of relu and its like are
    evaluated anew. But Python itself is not recorded: an `if` on some data, a loop whose length depends on it, a
    number drawn at random, another weight put in its place stay as they were. With check=True every call also runs
    the function, and raises RecordingError where it does something else than its recording: for tests, as it is slow.
    """
    return Compiled(function, check)


class Compiled:
    """A function and its recording, made by `compile`."""

    def __init__(self, function: Callable[..., Any], check: bool) -> None:
        self.function = function
        self.checks = check
        self.recording: Recording | None = None

    def __call__(self, *inputs: Any) -> Replay:
        """Compute. Raises RecordingError for inputs of another shape than the first call's."""
        self._prepare([inputs])
        with self._explaining([inputs]):
            run = self._replay([p.data for p in self.parameters], inputs)
            return Replay(next(run), run, self.targets)

    def backward_sum(self, rows: Iterable[Sequence[Any]], gradient: float = 1.0) -> list[Any]:
        """Compute the function for every row of inputs, and backward from the sum of its results.

        Gradients are, to the bit, those of the graph that adds the results up, row by row, and is given `gradient`;
        1/len(rows) makes it the mean. Returns what the function returns for each row, as numbers. Raises
        RecordingError for a row of another shape; nothing is added then.
        """
        given = [tuple(row) for row in rows]
        if not given:
            return []
        self._prepare(given)
        with self._explaining(given):
            results, gradients = self._loop([p.data for p in self.parameters], given, float(gradient))
        add_gradients(self.targets, gradients)
        return results  # type: ignore[no-any-return]

    def check(self, *inputs: Any) -> None:
        """Run the function with these inputs. Raises RecordingError where that is not what was recorded."""
        self._prepare([inputs])
        assert self.recording is not None
        now = record(self.function, inputs)
        for i, (was, is_) in enumerate(zip_longest(self.recording.steps, now.steps)):
            if was != is_:
                raise RecordingError(
                    f"value {i} was {was or 'absent'} when recorded, and is {is_ or 'absent'} for these inputs. The "
                    "function branches on its data, or brings in new numbers or Values, which a replay does not: "
                    "make them inputs, or do not compile it"
                )
        if now.results != self.recording.results:
            raise RecordingError("the function returns another of its values than it did when recorded")

    def _prepare(self, rows: list[tuple[Any, ...]]) -> None:
        """Record at the first call; afterwards check, when asked to."""
        if self.recording is None:
            self.recording = record(self.function, rows[0])
            size = sum(max(1, len(step.operands) // 2) for step in self.recording.steps)
            if size > LIMIT:
                self.recording = None
                raise RecordingError(
                    f"{size:,} values and products are too many for one recording (at most {LIMIT:,}): compile the "
                    "function of one row, and give all rows to backward_sum"
                )
            source = Source(self.recording)
            steps = self.recording.steps
            self.parameters: list[Value] = [step.plain[0] for step in steps if step.op == "parameter"]
            self.targets: list[Value] = [steps[i].plain[0] for i in source.targets]
            self.source = f"{source.replay()}\n\n\n{source.loop()}\n"
            names = dict(source.names)
            exec(self.source, names)
            self._replay: Callable[..., Generator[Any, float | None, None]] = names["replay"]
            self._loop: Callable[..., Any] = names["loop"]
        elif self.checks:
            self.checks = False
            try:
                for row in rows:
                    self.check(*row)
            finally:
                self.checks = True

    @contextmanager
    def _explaining(self, rows: list[tuple[Any, ...]]) -> Iterator[None]:
        """Say which inputs have another shape, when unpacking them has failed."""
        try:
            yield
        except (TypeError, ValueError):
            assert self.recording is not None
            for k, row in enumerate(rows):
                if (shape := shape_of(row)) != self.recording.shape:
                    where = f"row {k}: " if len(rows) > 1 else ""
                    raise RecordingError(
                        f"{where}inputs of shape {_words(shape)}, but {_words(self.recording.shape)} was recorded: "
                        "compile the function anew for another shape"
                    ) from None
            raise


class Replay:
    """What a compiled function returned. data: its number, or a tuple of them when it returned several."""

    __slots__ = ("_run", "_targets", "data")

    def __init__(self, data: Any, run: Generator[Any, float | None, None], targets: list[Value]) -> None:
        self.data = data
        self._run = run
        self._targets = targets

    def backward(self, gradient: float = 1.0) -> None:
        """Add the derivatives of the (first) result to the gradients of the parameters. Every call adds."""
        add_gradients(self._targets, self._run.send(float(gradient)))

    def __repr__(self) -> str:
        return f"Replay(data={self.data!r})"


def add_gradients(targets: list[Value], gradients: Sequence[float]) -> None:
    """As `Value.backward` does at its end: the first is assigned, later ones are added."""
    for target, gradient in zip(targets, gradients, strict=True):
        earlier = target.grad
        target.grad = gradient if earlier is NO_GRAD or earlier is None else earlier + gradient


def _words(shape: Any) -> str:
    """A shape in words: ((number, number), number) for ([x, y], side)."""
    if shape is None:
        return "number"
    return f"({', '.join(map(_words, shape))})"
