"""How one engine is spoken to: make a leaf, read and write its numbers, call an op, back-propagate."""


class NotANumber(Exception):
    """A node's data or gradient is not a real number."""


def number(x, name):
    """x as an exact Python float. Raises NotANumber, with x and the attribute's name, if x is no real number."""
    kind = type(x)
    if kind is float:
        return x
    try:
        if isinstance(x, float):  # a subclass may lie about itself; the number it was made with does not
            return float.__float__(x)
        if not isinstance(x, (str, bytes, bytearray, complex)):
            return float.__float__(float(x))
    except (TypeError, ValueError, OverflowError):
        pass  # refused below, like everything else that is no number
    raise NotANumber(f"{_article(x)} as its {name}")


def _article(x):
    name = type(x).__name__
    return "None" if x is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


class Engine:
    """One engine, as `find` found it.

    cls       the class of its leaves; types: every class that its ops return
    make      a number becomes a leaf
    data      name of the attribute that holds a node's number; grad: that holds its gradient, or None
    calls     op name → callable on operands; offered: those of which a trial returned a node
    backward  a callable on the root, or None
    grads     "all", or "leaves" when only leaves keep their gradient
    files     names of the files whose code is the subject's own
    found     what was found, in words
    methods   op name → name of the method or function behind it, for messages
    """

    def __init__(self, cls, make, data, files):
        self.cls = cls
        self.types = (cls,)
        self.make = make
        self.data = data
        self.grad = "grad"
        self.calls = {}
        self.offered = []
        self.backward = None
        self.grads = "all"
        self.files = files
        self.found = {}
        self.names = {}

    def is_node(self, x):
        return isinstance(x, self.types)

    def read_data(self, node):
        """The node's number. Raises NotANumber."""
        x = getattr(node, self.data)
        if type(x) is float:
            return x
        if isinstance(x, self.types):
            raise NotANumber(f"{_article(x)} as its {self.data}")
        return number(x, self.data)

    def read_grad(self, node):
        """The node's gradient; None where it has none. Raises NotANumber."""
        try:
            g = getattr(node, self.grad)
        except AttributeError:
            return None
        if type(g) is float:
            return g
        if g is None:
            return None
        if isinstance(g, self.types):
            return self.read_data(g)
        return number(g, self.grad)

    def write_data(self, leaf, x):
        setattr(leaf, self.data, x)

    def write_grad(self, node, x):
        """Set a gradient, as a training loop does before its next backward."""
        if isinstance(getattr(node, self.grad, None), self.types):
            x = self.make(x)
        try:
            setattr(node, self.grad, x)
        except AttributeError:  # a property to read only: its store is another attribute of the same value
            for name in ("_" + self.grad, f"_{self.cls.__name__}__{self.grad}"):
                if hasattr(node, name):
                    setattr(node, name, x)
                    return
            raise
