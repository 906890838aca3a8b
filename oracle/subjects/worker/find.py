"""Namespaces become an Engine: the usual names first, then trial and measurement.

The data is the attribute that holds 2.5 after C(2.5); the gradient is the one that becomes 7 after
(a * 7).backward(), or 1 after (a + b).backward(), since mul itself may be the faulty op. An op is offered when
a trial call returns a node.
"""

import functools
import operator

from . import walk
from .engine import Engine, number
from .load import Refusal

CLASSES = ("Value", "Scalar", "Var", "Variable", "Val", "Tensor", "Node", "Number")
DATA = ("data", "value", "val", "v", "_data", "_value", "_val", "of", "x", "item")
GRADIENT = ("grad", "gradient", "_grad", "derivative", "g", "adjoint", "adj", "grad_value", "_gradient")
BACKWARD = ("backward", "backprop", "backwards", "backpropagate", "back_prop", "back_propagate", "backpropagation")

OPERATORS = {
    "__add__": operator.add,
    "__sub__": operator.sub,
    "__mul__": operator.mul,
    "__truediv__": operator.truediv,
    "__pow__": operator.pow,
    "__neg__": operator.neg,
    "__abs__": operator.abs,
    "__matmul__": operator.matmul,
    "__mod__": operator.mod,
}

CONSTRUCTORS = (
    ("{}(x, requires_grad=True)", lambda cls: lambda x: cls(x, requires_grad=True)),
    ("{}(x)", lambda cls: cls),
    ("{}(data=x)", lambda cls: lambda x: cls(data=x)),
    ("{}(value=x)", lambda cls: lambda x: cls(value=x)),
    ("{}(x, ())", lambda cls: lambda x: cls(x, ())),
    ("{}(x, (), '')", lambda cls: lambda x: cls(x, (), "")),
    ("{}([x])", lambda cls: lambda x: cls([x])),
)

PROBE = 2.5


def engine(loaded, words, wanted):
    """The engine in what was loaded. Raises Refusal with what was looked for."""
    loaded.modules.ready = True
    spaces = loaded.namespaces()
    files = loaded.modules.files
    classes = own_classes(spaces, loaded.modules)
    if wanted is not None:
        classes = [cls for cls in classes if cls.__name__ == wanted] or _no_such_class(wanted, classes)
    tried = []
    for cls in classes:
        found = leaf(cls, files, tried)
        if found is None:
            continue
        find_node_types(found, loaded.modules)
        find_backward(found, spaces, loaded.modules)
        find_ops(found, spaces, words, loaded.modules)
        _refuse_missing_modules(loaded.modules)
        if found.offered or found.backward is not None or wanted is not None or len(classes) == 1:
            found.found["class"] = cls.__name__
            return found
        tried.append(f"{cls.__name__} has neither operators nor a backward method")
    _refuse_missing_modules(loaded.modules)
    raise Refusal(_no_engine(classes, tried), attributes(classes[0]) if classes else ())


# The class and its number ------------------------------------------------------------------------------------


def own_classes(spaces, modules):
    """The subject's own classes: those with the usual names first, then in order of definition."""
    names = {m.__name__ for m in modules.own.values()}
    found = []
    for space in spaces:
        for x in list(space.values()):
            if isinstance(x, type) and x.__module__ in names and not issubclass(x, BaseException) and x not in found:
                found.append(x)

    def rank(cls):
        name = cls.__name__
        arithmetic = any(dunder in attributes(cls) for dunder in ("__add__", "__mul__", "add", "mul"))
        return (not arithmetic, CLASSES.index(name) if name in CLASSES else len(CLASSES))

    return sorted(found, key=rank)


def leaf(cls, files, tried):
    """An Engine for a class that can hold a number, or None with the reason added to `tried`."""
    reason = None
    code = getattr(cls.__init__, "__code__", None)
    for shape, constructor in CONSTRUCTORS:
        if "requires_grad" in shape and (code is None or "requires_grad" not in code.co_varnames):
            continue
        make = constructor(cls)
        try:
            one, two = make(PROBE), make(-1.25)
        except TypeError as problem:
            reason = reason or problem
            continue
        except BaseException as problem:
            tried.append(f"{shape.format(cls.__name__)} raises {type(problem).__name__}: {problem}")
            return None
        names = [n for n in readable(one, DATA) if _holds(one, n, PROBE) and _holds(two, n, -1.25)]
        if names:
            engine = Engine(cls, make, names[0], files)
            engine.found.update({"constructor": shape.format(cls.__name__), "data": names[0]})
            return engine
        if shape == "{}(x)":
            array = next((n for n in readable(one, DATA) if _array(one, n)), None)
            tried.append(
                f"{cls.__name__} keeps arrays in {array!r}: a tensor engine without scalars"
                if array
                else f"{cls.__name__}(2.5) has no attribute that holds 2.5"
            )
            return None
    tried.append(f"{cls.__name__}(2.5) raises {type(reason).__name__}: {reason}")
    return None


def attributes(cls):
    """Every name defined by a class or its bases, with its definition; object's own left out."""
    out = {}
    for base in reversed(cls.__mro__[:-1]):
        out.update(vars(base))
    return out


def readable(node, first=()):
    """Names of a node's attributes that could hold a number: the usual ones first."""
    cls = type(node)
    names = list(getattr(node, "__dict__", ()))
    for name, what in attributes(cls).items():
        if isinstance(what, property) or type(what).__name__ == "member_descriptor":
            names.append(name)
    return [n for n in first if n in names] + [n for n in names if n not in first and not n.startswith("__")]


def _holds(node, name, x):
    return reading(node, name) == x


def reading(node, name):
    """An attribute as a float, or None where it holds none."""
    try:
        x = getattr(node, name)
        return None if isinstance(x, bool) else number(x, name)
    except BaseException:  # a property may raise whatever it likes
        return None


def _array(node, name):
    try:
        x = getattr(node, name)
        return isinstance(x, (list, tuple)) or hasattr(x, "shape")
    except BaseException:
        return False


def find_node_types(engine, modules):
    """Add the classes that ops return to the engine's types, where they are not those of its leaves."""
    names = {m.__name__ for m in modules.own.values()}
    for op in (operator.add, operator.mul):
        try:
            out = op(engine.make(PROBE), engine.make(7.0))
        except BaseException:  # a missing or faulty op is judged later, as a case
            continue
        if (
            not isinstance(out, engine.types)
            and type(out).__module__ in names
            and reading(out, engine.data) is not None
        ):
            engine.types += (type(out),)


# Backward and the gradient -----------------------------------------------------------------------------------

TRIALS = (
    ("(a * 7) + b", lambda a, b: (a * 7) + b, 7.0),
    ("(a * b) + b", lambda a, b: (a * b) + b, -1.25),
    ("(a + b) + b", lambda a, b: (a + b) + b, 1.0),
    ("a * 7", lambda a, b: a * 7, 7.0),
    ("a + b", lambda a, b: a + b, 1.0),
)


def find_backward(engine, spaces, modules):
    """Set `backward`, `grad` and `grads`: the first way to back-propagate that changes a leaf's gradient."""
    ways = list(backward_ways(engine, spaces, modules)) or closure_ways(engine)
    usual = next((n for n in readable(engine.make(PROBE), GRADIENT) if n in GRADIENT), None)
    for name, way in ways:
        for _, build, expected in TRIALS:
            try:
                a, b = engine.make(PROBE), engine.make(-1.25)
                root = build(a, b)
                before = {n: reading(a, n) for n in readable(a)}
                way(root)
            except BaseException:  # the next trial may do without the faulty op
                continue
            changed = [
                n
                for n in readable(a, GRADIENT)
                if n != engine.data and reading(a, n) != before.get(n) and reading(a, n) is not None
            ]
            if changed:
                named = [n for n in changed if n in GRADIENT]
                exact = [n for n in changed if reading(a, n) == expected]
                engine.grad = (named or exact or changed)[0]
                engine.backward = way
                engine.found.update({"backward": name, "gradient": engine.grad})
                engine.grads = _kept_where(engine)
                return
    engine.grad = usual or GRADIENT[0]
    working = [(name, way) for name, way in ways if not _scaffold(engine, name)]
    if working:
        engine.found["backward"], engine.backward = working[0]
    if usual:
        engine.found["gradient"] = usual


def backward_ways(engine, spaces, modules):
    """(name, callable on the root) for everything that could be backward, likeliest first."""
    methods = {n: f for n, f in attributes(engine.types[-1]).items() if callable(f)}
    methods.update({n: f for n, f in attributes(engine.cls).items() if callable(f)})
    likely = [n for n in BACKWARD if n in methods]
    likely += [n for n in methods if n not in likely and "back" in n.lower() and not n.startswith("__")]
    for name in likely:
        if _wants_seed(methods[name], 1):
            yield f"root.{name}(1.0)", lambda root, name=name: getattr(root, name)(1.0)
        else:
            yield f"root.{name}()", lambda root, name=name: getattr(root, name)()
    for space in spaces:
        for name, f in list(space.items()):
            if "back" in name.lower() and own_callable(f, modules) and not isinstance(f, type):
                if _wants_seed(f, 1):
                    yield f"{name}(root, 1.0)", lambda root, f=f: f(root, 1.0)
                else:
                    yield f"{name}(root)", f


def closure_ways(engine):
    """A walk of our own, where nodes have closures and the engine has nothing that calls them."""
    for _, build, _ in TRIALS:
        try:
            root = build(engine.make(PROBE), engine.make(-1.25))
        except BaseException:  # the next trial may do without the faulty op
            continue
        name = walk.closure_name(root, engine.types)
        gradient = next((n for n in readable(root, GRADIENT) if n in GRADIENT), None)
        if name is not None and gradient is not None:
            way = functools.partial(walk.walk, closure=name, gradient=gradient, types=engine.types)
            return [(f"our own walk over {name}", way)]
    return []


def _wants_seed(function, given):
    """Whether a Python function needs one argument more than the `given` ones."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    return code.co_argcount - len(function.__defaults__ or ()) > given


def _scaffold(engine, name):
    """Whether the method of this name is still to be written: `pass`, a docstring, NotImplementedError."""
    method = attributes(engine.cls).get(name.split(".")[-1].split("(")[0])
    code = getattr(method, "__code__", None)
    if code is None:
        return False
    if "NotImplementedError" in code.co_names:
        return True
    return not code.co_names and not code.co_cellvars and not code.co_freevars and len(set(code.co_consts)) <= 2


def _kept_where(engine):
    """"leaves" when only they keep their gradient after backward, "all" otherwise."""
    for _, build, _ in TRIALS[:3]:
        try:
            a, b = engine.make(PROBE), engine.make(-1.25)
            root = build(a, b)
            engine.backward(root)
            at_leaf, at_root = engine.read_grad(b), engine.read_grad(root)
        except BaseException:
            continue
        if at_leaf:
            return "all" if at_root else "leaves"
    return "all"


# The ops -----------------------------------------------------------------------------------------------------


def find_ops(engine, spaces, words, modules):
    """Fill `calls`, `offered` and `names` from the vocabulary's words (name, arity, method names, functions)."""
    for op, arity, spellings, functions in words:
        ways = list(op_ways(engine, spaces, modules, op, arity, spellings, functions))
        offered = next((way for way in ways if _offers(engine, way[2], arity)), None)
        if offered is None and not ways:
            continue
        spelled, method, call = offered or ways[0]
        engine.calls[op] = call
        code = getattr(method, "__code__", None)
        engine.names[op] = (getattr(method, "__name__", op), code and code.co_firstlineno)
        if offered:
            engine.offered.append(op)
            engine.found[op] = spelled


def op_ways(engine, spaces, modules, op, arity, spellings, functions):
    """(as it is written, the method or function, callable on operands) for every spelling of an op."""
    methods = {n: f for n, f in attributes(engine.cls).items() if callable(f)}
    plain = {_plain(n): n for n in reversed(list(methods)) if not n.startswith("__")}
    written = "a.{}(b)" if arity == 2 else "a.{}()"
    operators = [name for name in spellings if name in OPERATORS]
    for name in operators:
        if name in methods:
            yield name, methods[name], OPERATORS[name]
    for name in dict.fromkeys((*spellings, op)):
        name = name if name in methods and name not in OPERATORS else plain.get(_plain(name))
        if name is not None:
            yield written.format(name), methods[name], lambda *x, name=name: getattr(x[0], name)(*x[1:])
    wanted = {_plain(n) for n in (*spellings, *functions, op)}
    for space in spaces:
        for name, f in list(space.items()):
            if _plain(name) in wanted and own_callable(f, modules):
                yield from function_ways(name, f)
    if operators and op != "abs":
        yield operators[0], None, OPERATORS[operators[0]]


def function_ways(name, f):
    """The ways to call a function, or a class that stands for one op."""
    if not isinstance(f, type):
        yield f"{name}(…)", f, f
        return
    yield f"{name}(…)", f, f
    for method in ("apply", "forward", "__call__"):
        if method in attributes(f):
            if method == "apply":
                yield f"{name}.apply(…)", f.apply, f.apply
            yield f"{name}().{method}(…)", getattr(f, method), lambda *x, m=method: getattr(f(), m)(*x)


def _plain(name):
    return name.replace("_", "").lower()


def _offers(engine, call, arity):
    """Whether some ordinary trial call returns a node."""
    for x, y in ((0.5, 2.5), (2.5, 0.5), (1.0, 2.0)):
        forms = ("v",) if arity == 1 else ("vv", "vn", "nv")
        for form in forms:
            operands = [
                engine.make(z) if kind == "v" else int(z) if z == int(z) else z for kind, z in zip(form, (x, y), strict=False)
            ]
            try:
                if isinstance(call(*operands), engine.types):
                    return True
            except BaseException:  # an op that raises here is judged as a case, with its exception
                continue
    return False


def own_callable(f, modules):
    """Whether a thing is a function, a class or a callable object of the subject's own."""
    code = getattr(f, "__code__", None) or getattr(getattr(f, "func", None), "__code__", None)
    if code is not None:
        return code.co_filename in modules.files
    cls = f if isinstance(f, type) else type(f)
    return callable(f) and cls.__module__ in {m.__name__ for m in modules.own.values()}


# Sentences ---------------------------------------------------------------------------------------------------


def _no_such_class(wanted, classes):
    names = ", ".join(cls.__name__ for cls in classes) or "none"
    raise Refusal(f"there is no class {wanted} here; the classes found: {names}")


def _no_engine(classes, tried):
    if not classes:
        return "no class is defined here; an engine is a class such as Value that holds a number"
    return "no engine class found; tried " + "; ".join(tried[:4])


def _refuse_missing_modules(modules):
    for name in modules.used:
        if name in ("numpy", "scipy"):
            raise Refusal(f"the engine calls {name}, which is not available to it; allow it with --allow-import {name}")
        raise Refusal(
            f"the engine calls {name}, which is not available to it; an engine has to compute by itself, "
            f"with the standard library"
        )
