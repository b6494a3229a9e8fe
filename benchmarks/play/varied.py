"""A suite with other options of its environment, to look at and to listen to."""

from dataclasses import replace

from av_envs.benchmarks.command_line import UserError, json_object
from av_envs.benchmarks.play.episodes import make_env
from av_envs.benchmarks.suites.suite import Suite


def varied(suite: Suite, options_text: str) -> Suite:
    """The suite with other options of its environment, a JSON object; no rank comes of it.

    Its episodes have the same seeds; where options change what is drawn, they are others.
    UserError for options that are none of the environment's.
    """
    options = json_object(options_text, "--env-kwargs")
    if not options:
        return suite
    changed = replace(
        suite,
        name=f"{suite.name}-varied",
        split=options.pop("split", suite.split),
        env_kwargs={**suite.env_kwargs, **options},
        groups=tuple(
            replace(group, env_kwargs={**group.env_kwargs, **options}) for group in suite.groups
        ),
    )
    try:
        make_env(changed, changed.groups[0]).close()
    except (TypeError, ValueError, OSError) as error:
        raise UserError(f"--env-kwargs {options_text}: {error.__cause__ or error}") from error
    return changed
