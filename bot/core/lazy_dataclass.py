"""Frozen dataclasses that are cheap at start-up: nothing is compiled for a class until its first object is made.

`dataclasses` compiles six methods for each frozen class. With five hundred classes, most of which are never instantiated in a
given run, that is a quarter of the start-up time. Here five of the six are shared, and `__init__` is compiled on first call.
"""

import dataclasses
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # type checkers see the usual one
else:

    def dataclass(*, frozen: bool, kw_only: bool = False) -> Callable[[type], type]:
        """Like `dataclasses.dataclass`, for frozen classes without `__post_init__`; raises TypeError for others."""

        def made(cls: type) -> type:
            if not frozen or hasattr(cls, "__post_init__"):
                raise TypeError(f"{cls.__name__} needs the dataclass of dataclasses")
            dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)
            cls.__init__ = _written_later(cls)
            for name in SHARED:
                setattr(cls, name, getattr(_Frozen, name))
            return cls

        return made


class _Frozen:
    """The methods that all these classes share."""

    def __repr__(self: Any) -> str:
        fields = ", ".join([f"{name}={getattr(self, name)!r}" for name in _shown(self.__class__)])
        return f"{type(self).__qualname__}({fields})"

    def __eq__(self: Any, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return bool(_values(self) == _values(other))

    def __hash__(self: Any) -> int:
        return hash(_values(self))

    def __setattr__(self, name: str, value: object) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


SHARED = ("__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__")


@cache
def _shown(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls) if field.repr)


def _values(one: Any) -> Any:
    return _compared(one.__class__)(one)


@cache
def _compared(cls: Any) -> Callable[[Any], Any]:
    """A function that returns the values by which two objects of this class are compared."""
    names = [field.name for field in dataclasses.fields(cls) if field.compare]
    return attrgetter(*names) if names else lambda _: ()


def _written_later(cls: Any) -> Callable[..., None]:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        cls.__init__ = _init_of(cls)
        cls.__init__(self, *args, **kwargs)

    return init


def _init_of(cls: Any) -> Callable[..., None]:
    """Compile `__init__`: it sets each field, in the class's order and with its defaults."""
    known: dict[str, Any] = {"put": object.__setattr__, "MISSING": dataclasses.MISSING}
    plain, keyed, body = ["self"], ["*"], []
    for field in dataclasses.fields(cls):
        name = value = parameter = field.name
        if field.default_factory is not dataclasses.MISSING:
            known[f"make_{name}"] = field.default_factory
            parameter, value = f"{name}=MISSING", f"make_{name}() if {name} is MISSING else {name}"
        elif field.default is not dataclasses.MISSING:
            known[f"default_{name}"] = field.default
            parameter = f"{name}=default_{name}"
        (keyed if field.kw_only else plain).append(parameter)
        body.append(f"put(self, {name!r}, {value})")
    parameters = ", ".join([*plain, *(keyed if len(keyed) > 1 else ())])
    exec(f"def __init__({parameters}):\n " + "\n ".join(body or ["pass"]), known)  # noqa: S102 # names of our own fields
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"  # the name that an error about wrong arguments shows
    return init
