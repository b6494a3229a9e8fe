"""The source files of an agent, found by parsing and without running any of them.

Followed are `import` statements wherever they stand, literal arguments of `import_module`, and
strings of the form "module:Factory", as far as they lead to code of the agent: modules of its
own package, or beside its module where it has none, and the agents and baselines of av_envs.
What its keyword arguments name as "module:Factory" is code of the agent in the same way.
The environments and libraries do not belong to an agent: a result names their versions apart.
"""

import ast
import hashlib
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from av_envs.benchmarks.command_line import UserError

OURS = ("av_envs.agents", "av_envs.baselines")  # parts of av_envs that are agents, not environment
SHORT = ("agents.", "baselines.")  # folders of av_envs whose name may stand alone
FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
INSTALLED = {"site-packages", "dist-packages"}  # folders whose packages have nothing in common


def full_path(path: str) -> str:
    """`baselines.separation:DoA` is short for `av_envs.baselines.separation:DoA`."""
    return f"av_envs.{path}" if path.startswith(SHORT) else path


def source_hash(path: str, kwargs: Mapping[str, Any] | None = None) -> str | None:
    """sha256 over names and bytes of all files behind "module:Factory" and such strings in kwargs.

    None where the factory has no source file.
    """
    files = source_files(path, kwargs)
    if not files:
        return None
    digest = hashlib.sha256()
    for name, file in sorted(files.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(_bytes_of(file)).digest())
    return digest.hexdigest()


def source_files(path: str, kwargs: Mapping[str, Any] | None = None) -> dict[str, Path]:
    """The files behind "module:Factory" by the names of their modules.

    Errors: `UserError` if there is no such module.
    """
    path = full_path(path)
    module, _, factory = path.partition(":")
    if find_module(module) is None:
        raise UserError(
            f"agent {path!r}: no module named {module!r} "
            "(install av-envs, or run from where the module is)"
        )
    walk = _Walk(_folder_of(module), module.split(".")[0])
    walk.follow(module, (factory,))
    files = walk.files
    for text in _texts_in(dict(kwargs or {})):
        if FACTORY.fullmatch(text):  # its own code counts, wherever it lies
            named = full_path(text).partition(":")[0]
            other = _Walk(_folder_of(named), named.split(".")[0])
            other.follow_text(text)
            files = {**other.files, **files}
    return files


def is_here(path: str) -> bool:
    """Whether the module of "module:Factory" can be found."""
    return find_module(full_path(path).partition(":")[0]) is not None


def file_hash(path: Path) -> str:
    """sha256 of a file's bytes."""
    return hashlib.sha256(_bytes_of(path)).hexdigest()


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


class _Walk:
    """Collects files while it follows names from module to module.

    folder, top  where the agent's own code lies: every module in this folder, or, where that is
                 a folder of installed packages, only the one called top
    """

    def __init__(self, folder: Path | None, top: str):
        self.files: dict[str, Path] = {}
        self._folder, self._top = folder, top
        self._followed: set[tuple[str, str | None]] = set()

    def follow(self, module: str, names: tuple[str | None, ...] = (None,)) -> None:
        """Collect a module and what it imports.

        names  what is wanted of it; None for the module as a whole. What a package only hands on
               is looked up where it comes from: its other modules do not count.
        """
        if not self._is_agents_code(module):
            return
        spec = find_module(module)
        if spec is None:
            return
        if spec.has_location:
            self.files[module] = Path(spec.origin)
        for parent in _parents(module):  # they run as well; what they import counts if it is used
            above = find_module(parent)
            if self._is_agents_code(parent) and above is not None and above.has_location:
                self.files[parent] = Path(above.origin)
        is_package = spec.submodule_search_locations is not None
        for name in names:
            if (module, name) in self._followed:
                continue
            self._followed.add((module, name))
            if is_package and name is not None:
                self._follow_through(module, name)
            else:
                self._follow_all(module)

    def follow_text(self, text: str) -> None:
        """Collect what a string of the form "module:Factory" names."""
        if FACTORY.fullmatch(text):
            module, _, name = full_path(text).partition(":")
            self.follow(module, (name,))

    def _follow_through(self, package: str, name: str) -> None:
        """`from package import name`: a module, something handed on, or the package's own."""
        if find_module(f"{package}.{name}") is not None:
            self.follow(f"{package}.{name}")
            return
        handed_on = [
            (module, imported)
            for module, imported, known_as in _imports_of(package)
            if known_as == name and imported is not None
        ]
        for module, imported in handed_on:
            self.follow(module, (imported,))
        if not handed_on:
            self._follow_all(package)

    def _follow_all(self, module: str) -> None:
        for imported, name, _ in _imports_of(module):
            if name is not None and find_module(f"{imported}.{name}") is not None:
                self.follow(f"{imported}.{name}")
            else:
                self.follow(imported, (None if name == "*" else name,))
        for text in _texts_of(module):
            self.follow_text(text)

    def _is_agents_code(self, module: str) -> bool:
        if module.split(".")[0] == "av_envs":
            return any(module == ours or module.startswith(f"{ours}.") for ours in OURS)
        top = module.split(".")[0]
        if self._top in ("av_envs", top):
            return top == self._top
        return self._folder is not None and _folder_of(top) == self._folder


def find_module(name: str) -> ModuleSpec | None:
    """Where a module would come from; in contrast to `importlib.util`, parents are not imported."""
    spec, path = None, None
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        spec = _find(".".join(parts[:depth]), path)
        if spec is None:
            return None
        if depth < len(parts):
            if spec.submodule_search_locations is None:
                return None
            path = list(spec.submodule_search_locations)
    return spec


def _find(name: str, path: list[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find_spec = getattr(finder, "find_spec", None)
        spec = find_spec(name, path) if find_spec else None
        if spec is not None:
            return spec
    return None


def _folder_of(module: str) -> Path | None:
    """The folder where a module, or the package that holds it, lies beside its kin."""
    spec = find_module(module.split(".")[0])
    if spec is None:
        return None
    if spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations))).parent
    elif spec.has_location:
        folder = Path(spec.origin).parent
    else:
        return None
    libraries = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    return None if folder.name in INSTALLED or folder in libraries else folder


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


def _tree_of(module: str) -> ast.Module | None:
    spec = find_module(module)
    if spec is None or not spec.has_location or Path(spec.origin).suffix != ".py":
        return None
    return _parsed(_bytes_of(Path(spec.origin)), spec.origin)


@lru_cache(maxsize=512)
def _parsed(source: bytes, origin: str) -> ast.Module:
    try:
        return ast.parse(source, origin)
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{origin} is not Python: {error}") from None


def _imports_of(module: str) -> Iterator[tuple[str, str | None, str]]:
    """(module, name or None, known as) of every import statement, wherever it stands."""
    tree, spec = _tree_of(module), find_module(module)
    if tree is None or spec is None:
        return
    is_package = spec.submodule_search_locations is not None
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None, alias.asname or alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            for alias in node.names:
                yield base, alias.name, alias.asname or alias.name
        elif isinstance(node, ast.Call) and _name_of(node.func) in ("import_module", "__import__"):
            argument = node.args[0] if node.args else None
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value.lstrip("."), None, argument.value


def _name_of(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def _texts_of(module: str) -> Iterator[str]:
    tree = _tree_of(module)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _texts_in(value: Any) -> Iterator[str]:
    """All strings of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts_in(item)
