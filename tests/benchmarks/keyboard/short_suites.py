"""Episodes of both tasks that are over after three steps, for tests of playing by keys."""

from dataclasses import replace

from av_envs.benchmarks.suites.suite import SUITES, Group, Suite

GROUPS = (Group("all", {}, (0, 1), ({"house": 0}, {"house": 0})),)


def short(name: str, **options) -> Suite:
    suite = SUITES[name]
    kept = {key: value for key, value in suite.env_kwargs.items() if key != "observations"}
    return replace(
        suite,
        name=f"short-{name}",
        env_kwargs={**kept, "houses": 1, "steps": 3, **options},
        groups=GROUPS,
    )


SEPARATING = short("sep-demo-v2")
MEASURING = short("rir-replica-like-v2", predictor="zero")
