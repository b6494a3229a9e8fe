"""The whole suite on one page: id, class, and what makes the variant a variant."""

from gymnasium.envs.registration import register, registry

SEPARATION = "av_envs.separation.env:SeparationEnv"

VARIANTS: dict[str, tuple[str, dict]] = {
    "AVDynamicSep-v0": (SEPARATION, {}),
}


def register_all() -> None:
    for env_id, (entry_point, kwargs) in VARIANTS.items():
        if env_id not in registry:
            register(id=env_id, entry_point=entry_point, kwargs=kwargs)
