"""How one engine is spoken to: make a leaf, read and write its numbers, call an op, back-propagate."""

from __future__ import annotations

from operator import attrgetter

from .keeping import Attribute, ReadOnly, Returned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .asking import Asking
    from .helpers import Helpers
    from .keeping import Keeping

    Place = tuple[str | None, int | None]
    """A file, or a notebook's cell, and a line from 1; of each None where it is not known."""


class NotANumber(Exception):
    """A node's data or gradient is not a real number."""


def number(x: Any, name: str) -> float:
    """x as an exact Python float. Raises NotANumber, with x and the attribute's name, if x is no real number."""
    if type(x) is float:
        return x
    try:
        if isinstance(x, float):  # a subclass may lie about itself; the number it was made with does not
            return float.__float__(x)
        if not isinstance(x, (str, bytes, bytearray, complex)):
            return float(x.item() if getattr(x, "size", 0) == 1 else x)  # an array of one number
    except (TypeError, ValueError, OverflowError):
        pass  # refused below, like everything else that is no number
    raise NotANumber(f"{_article(x)} as its {name}")


def _article(x: Any) -> str:
    if x is None or x is NotImplemented:
        return str(x)
    name, shape = type(x).__name__, getattr(x, "shape", None)
    of = f" of shape {shape}" if isinstance(shape, tuple) else ""
    return f"{'an' if name[0] in 'aeiou' or name == 'ndarray' else 'a'} {name}{of}"


class Engine:
    """One engine, as `find` found it.

    cls       the class of its leaves; types: every class that its ops return
    make      a number becomes a leaf
    data      name of the attribute that holds a node's number, dotted where it is in a box; keeping: where its gradient
              is
    helpers   the objects beside the nodes that ops are methods of
    compute   name of the method that gives a result its number, where ops only note what is to be done, or None
    calls     op name → callable on operands, then parameters; offered: those of which a trial returned a node
    parameters  op name → names of its parameters, in order
    backward  a callable on the root, or None; asking: the same, where it has to be told of the other nodes first
    unkept    "inner" when only leaves keep their gradient, "root" when only the root does not, else ""
    files     names of the files whose code is the subject's own
    found     what was found, in words
    names     op name → name of the method or function behind it and its place, for messages
    """

    def __init__(self, cls: type, make: Callable[[float], Any], data: str, files: set[str]) -> None:
        self.cls = cls
        self.types: tuple[type, ...] = (cls,)
        self.make = make
        self.data = data
        self._number = attrgetter(data)
        self.keeping: Keeping = Attribute("grad")
        self.compute: str | None = None
        self.calls: dict[str, Callable[..., Any]] = {}
        self.parameters: dict[str, list[str]] = {}
        self.offered: list[str] = []
        self.backward: Callable[[Any], Any] | None = None
        self.asking: Asking | None = None
        self.helpers: Helpers | None = None
        self.unkept = ""
        self.files = files
        self.found: dict[str, str] = {}
        self.names: dict[str, tuple[str, Place]] = {}

    def read_data(self, node: Any) -> float:
        """The node's number. Raises NotANumber."""
        x = self._number(node)
        if type(x) is float:
            return x
        if isinstance(x, self.types):
            raise NotANumber(f"{_article(x)} as its {self.data}")
        return number(x, self.data)

    def computing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """An op that gives its result its number at once."""
        if self.compute is None:
            return call
        name = self.compute

        def at_once(*operands: Any) -> Any:
            out = call(*operands)
            if isinstance(out, self.types):
                getattr(out, name)()
            return out

        return at_once

    @property
    def grad(self) -> str:
        """Name of the attribute or method that gives a node's gradient."""
        return self.keeping.name

    def read_grad(self, node: Any) -> float | None:
        """The node's gradient; None where it has none. Raises NotANumber."""
        g = self.keeping.read(node)
        return g if type(g) is float or g is None else self.number_of(g, self.grad)

    def number_of(self, x: Any, name: str) -> float:
        """A gradient as a number: what it is itself, or the node that it is. Raises NotANumber."""
        return self.read_data(x) if isinstance(x, self.types) else number(x, name)

    def twin(self, calls: dict[str, Callable[..., Any]], backward: Callable[[Any], Any] | None) -> Engine:
        """The same engine, spoken to by way of other callables."""
        out = object.__new__(Engine)
        vars(out).update(vars(self), calls=calls, backward=backward)
        return out

    def back_propagate(self, root: Any, nodes: Sequence[Any]) -> None:
        """Call backward; the engine has one. nodes: those whose gradients may be read afterwards."""
        assert self.backward is not None
        if self.asking is not None:
            self.asking.nodes = nodes
        returned = self.backward(root)
        if isinstance(self.keeping, Returned):
            self.keeping.add(returned, nodes)

    def begin(self) -> None:
        """Forget what is known of the nodes of earlier cases: their ids are used again."""
        if isinstance(self.keeping, Returned):
            self.keeping.begin()
        if self.asking is not None:
            self.asking.asked = False
        if self.helpers is not None:
            self.helpers.begin()

    def write_data(self, leaf: Any, x: float) -> None:
        """Change a leaf's number, as a step of gradient descent does. Raises ReadOnly."""
        path, _, last = self.data.rpartition(".")
        holder = attrgetter(path)(leaf) if path else leaf
        try:
            setattr(holder, last, _alike(getattr(holder, last), x))
        except AttributeError:
            raise ReadOnly("set") from None

    def write_grad(self, node: Any, x: float) -> None:
        """Set a gradient, as a training loop does before its next backward; one that is not kept stays so.

        Raises ReadOnly.
        """
        old = self.keeping.read(node)
        if old is not None:
            self.keeping.write(node, self.make(x) if isinstance(old, self.types) else _alike(old, x))


def _alike(old: Any, x: float) -> Any:
    """x as what is there already: numpy's numbers stay numpy's, of the same precision and shape."""
    if not hasattr(old, "dtype"):
        return x
    if not old.shape:
        return old.dtype.type(x)
    new = old.copy()
    new[...] = x
    return new
