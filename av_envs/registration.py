"""The whole suite on one page: id, class, and what makes the variant a variant."""

from gymnasium.envs.registration import register, registry

SEPARATION = "av_envs.separation.env:SeparationEnv"

VARIANTS: dict[str, tuple[str, dict]] = {
    "AVDynamicSep-v0": (SEPARATION, {}),
    "AVDynamicSep3-v0": (SEPARATION, {"num_sources": 3, "min_source_distance": 8.0}),
    "AVStaticSep-v0": (SEPARATION, {"dynamic": False, "reward": "improvement"}),
    "AVFarSep-v0": (
        SEPARATION,
        {"start": "far", "dynamic": False, "steps": 80, "reward": "approach"},
    ),
}


def register_all() -> None:
    for env_id, (entry_point, kwargs) in VARIANTS.items():
        if env_id not in registry:
            register(id=env_id, entry_point=entry_point, kwargs=kwargs)
