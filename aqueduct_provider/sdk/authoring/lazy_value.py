"""Make artifacts fail loudly when they are used as if they were their value.

Python takes any object for true, and unpacks, compares or adds it with an error that says nothing of flows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.own_frames import ends_in_user_code

if TYPE_CHECKING:
    # An operator takes an artifact wherever its function takes a value. Type checkers only allow that of what
    # derives from Any; they cannot compare which value it is of.
    _Passable: TypeAlias = Any
else:
    _Passable = object


class LazyValue(_Passable):
    """Base of artifacts: refuses whatever only a value can do. ``==`` and ``hash`` go by identity."""

    @ends_in_user_code
    def _refuse(self, *_: Any) -> NoReturn:
        raise AuthoringError(
            f"{self!r} is an artifact, a promise of a value, not the value: call .get() for it, or use it "
            "inside a function of the flow, to which you pass the artifact."
        )

    @ends_in_user_code
    def _refuse_iteration(self, *_: Any) -> NoReturn:
        raise AuthoringError(
            f"{self!r} is one artifact and cannot be unpacked or iterated over: call .get() for its value. "
            "An operator that is to return several artifacts needs num_outputs=... or outputs=[...]."
        )

    @ends_in_user_code
    def __reduce_ex__(self, _: Any) -> NoReturn:
        raise AuthoringError(
            f"{self!r} cannot be pickled or copied. A function that uses an artifact must take it as an "
            "argument; .get() gives its value."
        )

    if TYPE_CHECKING:
        # The uses of a value that type checkers refuse even of what derives from Any.
        __iter__: None
        __getitem__: None
        __contains__: None
    else:
        __bool__ = __len__ = __contains__ = _refuse
        __int__ = __float__ = __index__ = _refuse
        __iter__ = __getitem__ = _refuse_iteration
        __lt__ = __le__ = __gt__ = __ge__ = _refuse
        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
        __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _refuse
        __pow__ = __rpow__ = __neg__ = __abs__ = __invert__ = __round__ = _refuse
        __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _refuse
