"""A page per environment from its class docstring: `python -m docs.generate [--check]`."""

import argparse
import inspect
import sys
from importlib import import_module
from pathlib import Path

from av_envs.registration import MEASURING, VARIANTS

PAGES = Path(__file__).parent / "environments"
IMPORTS = ("import gymnasium as gym", "import pettingzoo")
FILMED = {True: "SpreadOut --steps 45", False: "DoA"}  # by whether the task is to measure


def page(env_id: str) -> str:
    """Markdown: how to make the environment, what it is registered with, its class docstring."""
    entry_point, options = VARIANTS[env_id]
    kinds = ["gym.make(", *(['pettingzoo.make("parallel", '] if entry_point == MEASURING else [])]
    imports = "\n".join(IMPORTS[: len(kinds)])
    made = "\n".join(f'env = {make}"{env_id}")' for make in kinds)
    module, _, name = entry_point.partition(":")
    environment = getattr(import_module(module), name)
    differs = ", ".join(f"`{key}={value!r}`" for key, value in options.items())
    parts = [
        f"# {env_id}",
        f"```python\n{imports}\n\nimport av_envs\n\n{made}\n```",
        f"Registered with {differs}." if differs else "Registered with the defaults.",
        film(env_id),
        inspect.cleandoc(environment.__doc__),
    ]
    return "\n\n".join(parts) + "\n"


def film(env_id: str) -> str:
    """The command that films an episode, and a link to the film where one is kept here.

    Of the measuring task, whose episodes are ten times as long, only the first steps.
    """
    name = f"{env_id}.mp4"
    agent = FILMED[VARIANTS[env_id][0] == MEASURING]
    command = f"`av-envs film {env_id} --agent {agent} --out {name}`"
    made = (
        f"[A film with sound]({name}), {command}"
        if (PAGES / name).exists()
        else f"A film: {command}"
    )
    return f"{made}."


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell whether pages are stale")
    check = parser.parse_args(argv).check
    PAGES.mkdir(exist_ok=True)
    stale = []
    for env_id in VARIANTS:
        path = PAGES / f"{env_id}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != page(env_id):
            stale.append(path.name)
            if not check:
                path.write_text(page(env_id), encoding="utf-8")
    print("stale pages:" if check else "written:", ", ".join(stale) or "none")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
