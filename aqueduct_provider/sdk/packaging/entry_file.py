"""The entry file of function archives: its text is in each of them, and it runs in the user's environment.

What was defined in a script, or in a module that travels in the pickle, becomes a module of that name again:
processes that the function starts find by name what it sends to them. Needs Python 3.8 and cloudpickle only.
"""

from __future__ import annotations

import os
import pickle
import sys
import types
from importlib.machinery import ModuleSpec
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

import cloudpickle
from cloudpickle import cloudpickle as makers

# Tracebacks leave this file out: the user's own function comes after it.
AQUEDUCT_PLUMBING = True

_FILE = os.path.abspath(__file__)
_FOLDER = os.path.dirname(_FILE)
_MAIN = "__main__"
_replaced: List[types.ModuleType] = []


class Function:
    """The user's function, loaded."""

    def __init__(self) -> None:
        self.function: Callable[..., Any] = _load()

    def predict(self, *inputs: Any) -> Any:
        """What the function returns."""
        return self.function(*inputs)


class Unpickler(pickle.Unpickler):
    """Makes functions and classes as cloudpickle does, but those of one module in one namespace."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.modules: Dict[str, types.ModuleType] = {}
        # By the address of the globals in the pickle; kept, so that none gets the address of another.
        self._owners: Dict[int, Tuple[Dict[str, Any], Optional[types.ModuleType]]] = {}
        self._owned: Set[str] = set()
        self._made: List[Any] = []
        self._makers: Dict[str, Callable[..., Any]] = {
            "_make_function": self._make_function,
            "_make_skeleton_class": self._make_class,
            "_make_skeleton_enum": self._make_enum,
            "dynamic_subimport": self._make_module,
        }

    def find_class(self, module: str, name: str) -> Any:
        """What the pickle names."""
        if module == makers.__name__ and name in self._makers:
            return self._makers[name]
        return super().find_class(module, name)

    def name_all(self) -> None:
        """Give everything that was loaded its name in its module, also where no function uses that name."""
        for made in self._made:
            module = self.modules.get(made.__module__)
            if module is not None and made.__qualname__.isidentifier():
                vars(module).setdefault(made.__qualname__, made)

    def _make_function(self, code: types.CodeType, names: Dict[str, Any], *others: Any) -> Any:
        module = self._owner_of(names)
        space = names if module is None else vars(module)
        return self._noted(makers._make_function(code, space, *others))

    def _make_class(self, *parts: Any) -> Any:
        return self._noted(makers._make_skeleton_class(*parts))

    def _make_enum(self, *parts: Any) -> Any:
        return self._noted(makers._make_skeleton_enum(*parts))

    def _make_module(self, name: str, content: Dict[str, Any]) -> types.ModuleType:
        if name not in self.modules:
            self.modules[name] = makers.dynamic_subimport(name, content)
        return self.modules[name]

    def _noted(self, made: Any) -> Any:
        self._made.append(made)
        return made

    def _owner_of(self, names: Dict[str, Any]) -> Optional[types.ModuleType]:
        """The module whose globals these are; None: they are of none, or of a second one of the same name."""
        if id(names) not in self._owners:
            name, module = names.get("__name__"), None
            if isinstance(name, str) and name not in self._owned:
                self._owned.add(name)
                module = self._make_module(name, {})
                vars(module).update(names)
            self._owners[id(names)] = names, module
        return self._owners[id(names)][1]


class Finder:
    """Finds the modules of a pickle after all others, so that it hides none.

    Until one is imported, cloudpickle and its copies in other packages take its functions by value.
    """

    def __init__(self, modules: Dict[str, types.ModuleType]) -> None:
        self._modules = modules

    def find_spec(self, name: str, *_: Any) -> Optional[ModuleSpec]:
        """The module, or a package that one of them is in."""
        is_package = any(other.startswith(name + ".") for other in self._modules)
        if name in self._modules or is_package:
            return ModuleSpec(name, self, is_package=is_package)  # type: ignore[arg-type]
        return None

    def create_module(self, spec: ModuleSpec) -> Optional[types.ModuleType]:
        """The module as it was loaded; None: an empty one."""
        return self._modules.get(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Results are read where the module is not: what is of it still travels by value."""
        cloudpickle.register_pickle_by_value(module)


def _load() -> Callable[..., Any]:
    with open(os.path.join(_FOLDER, "model.pkl"), "rb") as file:
        unpickler = Unpickler(file)
        function: Callable[..., Any] = unpickler.load()
    unpickler.name_all()
    modules = unpickler.modules
    _place(list(modules.values()))
    _replace_main(modules.pop(_MAIN, types.ModuleType(_MAIN)))
    sys.meta_path.append(Finder(modules))
    return function


def _place(modules: List[types.ModuleType]) -> None:
    """Files are here what they were in the folder of the function, whose module is the first."""
    files = [getattr(module, "__file__", None) for module in modules]
    folders = [os.path.dirname(file) for file in files if isinstance(file, str)]
    for module, file in zip(modules, files):
        if isinstance(file, str):
            path = os.path.normpath(os.path.join(_FOLDER, os.path.relpath(file, folders[0])))
            if path.startswith(_FOLDER + os.sep):
                module.__file__ = path


def _replace_main(main: types.ModuleType) -> None:
    """Become the script, also for new processes: they run this file under the name ``__mp_main__``."""
    main.__file__ = _FILE
    main.__spec__ = None
    # The module that the process was started with is still at work.
    _replaced.append(sys.modules[_MAIN])
    sys.modules[_MAIN] = main


if __name__ == "__mp_main__":
    _load()
    globals().update(vars(sys.modules[_MAIN]), __name__=__name__)
