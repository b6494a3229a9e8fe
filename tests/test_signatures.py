"""Public functions of the environments say what they take and give.

Exempt are kernels, whose types numba and Warp infer, `**options`, which configurations check by
name, what `reset` and `step` give, which Gymnasium and PettingZoo declare, and what special
methods give.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNELS = {"njit", "kernel", "func", "helper", "exact_helper", "intrinsic"}  # decorators
DECLARED = {"reset", "step"}


def public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """Those of a module and of its public classes."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        elif isinstance(node, ast.FunctionDef):
            special = node.name.startswith("__")
            if (special or not node.name.startswith("_")) and not is_kernel(node):
                yield node


def is_kernel(function: ast.FunctionDef) -> bool:
    calls = [d.func if isinstance(d, ast.Call) else d for d in function.decorator_list]
    return any(ast.unparse(call).split(".")[-1] in KERNELS for call in calls)


def untyped(function: ast.FunctionDef) -> list[str]:
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    found = [a.arg for a in arguments if a.annotation is None and a.arg not in {"self", "cls"}]
    if function.returns is None and not function.name.startswith("__"):
        found += ["return"] if function.name not in DECLARED else []
    return found


def test_public_functions_are_typed():
    found = {}
    for path in sorted((ROOT / "av_envs").rglob("*.py")):
        for function in public_functions(ast.parse(path.read_text(encoding="utf-8")).body):
            if untyped(function):
                found[f"{path.relative_to(ROOT)}:{function.lineno}"] = untyped(function)
    assert not found
