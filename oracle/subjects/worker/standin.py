"""Stand-ins for modules that are not available: harmless to import, to decorate with and to annotate with.

While the subject loads, everything about a stand-in yields another stand-in. Once it runs, using one raises
ModuleNotFoundError, as the import itself would have done.
"""

import sys


def _still_loading(name, modules):
    top = name.partition(".")[0]
    if modules.ready:
        modules.used.append(top)
        raise ModuleNotFoundError(f"No module named {top!r}", name=top)


class StandIn(type(sys)):
    """A module whose every attribute is a stand-in."""

    def __init__(self, name, modules):
        super().__init__(name)
        self.__dict__["_stand_in"] = modules

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return thing(f"{self.__name__}.{name}", self.__dict__["_stand_in"])


def thing(name, modules):
    """Something in a missing module: a class, so that annotations, isinstance and subclassing work."""
    return Thing(name.rpartition(".")[2], (), {"_stand_in": (name, modules)})


class Thing(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        where, modules = cls._stand_in
        return thing(f"{where}.{name}", modules)

    def __call__(cls, *args, **kwargs):
        if "_stand_in" not in vars(cls):
            return super().__call__(*args, **kwargs)
        _still_loading(*cls._stand_in)
        if len(args) == 1 and not kwargs and callable(args[0]) and not isinstance(args[0], Thing):
            return args[0]  # a decorator: the function stays what it is
        return thing(cls._stand_in[0] + "()", cls._stand_in[1])

    def __getitem__(cls, key):
        return cls

    def __iter__(cls):
        _still_loading(*cls._stand_in)
        return iter(())

    def __or__(cls, other):
        return cls

    def __mul__(cls, other=None):
        _still_loading(*cls._stand_in)
        return cls

    __ror__ = __or__
    __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __mul__
    __neg__ = __mul__
