"""Objects that users plug in by the import path "module:Factory".

`what` is the name of the kind of object in error messages, for example "estimator".
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

INSTALL = "; pip install -e '.[agents]'"


def is_import_path(text: Any) -> bool:
    """Whether it is a string of the form "module:Factory"."""
    module, _, name = text.partition(":") if isinstance(text, str) else ("", "", "")
    return bool(module and name)


def load(path: str, what: str) -> Callable[..., Any]:
    """The callable that "module:Factory" names.

    Raises ValueError for another form, a module that cannot be imported, a name that the module
    lacks, and for what cannot be called.
    """
    if not is_import_path(path):
        raise ValueError(f"{what} {path!r} is not of the form module:Factory")
    module_name, _, name = path.partition(":")
    try:
        module = import_module(module_name)
    except Exception as error:
        hint = INSTALL if getattr(error, "name", None) == "torch" else ""
        raise ValueError(
            f"{what} {path!r}: cannot import {module_name!r} "
            f"({type(error).__name__}: {error}){hint}"
        ) from error
    if not hasattr(module, name):
        offered = ", ".join(sorted(n for n in vars(module) if n[:1].isupper())) or "nothing"
        raise ValueError(f"{what} {path!r}: {module_name!r} has no {name!r}; it offers {offered}")
    factory = getattr(module, name)
    if not callable(factory):
        raise ValueError(f"{what} {path!r} is a {type(factory).__name__}, not callable")
    return factory


def make(path: str, what: str, methods: Sequence[str]) -> Any:
    """What the factory returns when it is called without arguments, see `check_methods`."""
    factory = load(path, what)
    try:
        made = factory()
    except Exception as error:
        name = path.partition(":")[2]
        raise ValueError(f"{what} {path!r}: {name}() failed with {error!r}") from error
    check_methods(made, f"{what} {path!r}", methods)
    return made


def check_methods(made: Any, whose: str, methods: Sequence[str]) -> None:
    """Raise a ValueError that starts with `whose` unless it is an object with these methods."""
    missing = [method for method in methods if not callable(getattr(made, method, None))]
    if missing or isinstance(made, type):
        lacks = f"lacks the method {' and '.join(missing)}" if missing else "is a class"
        raise ValueError(
            f"{whose}: a {type(made).__name__} {lacks}; needed is an object with the methods "
            f"{', '.join(methods)}"
        )
