"""The whole suite on one page: id, class, and what makes the variant a variant."""

import pettingzoo
from gymnasium.envs.registration import register, registry

SEPARATION = "av_envs.separation.env:SeparationEnv"
MEASURING = "av_envs.rir_measure.joint:JointMeasureEnv"
VECTORS = {  # many at once, for `gymnasium.make_vec`
    SEPARATION: "av_envs.separation.vector:separation_envs",
    MEASURING: "av_envs.rir_measure.vector.joint:MeasureVectorEnv",
}
TEAMS = {  # the same worlds for PettingZoo, where every robot is an agent
    "parallel": (pettingzoo.parallel_registry, "av_envs.rir_measure:parallel_env"),
    "aec": (pettingzoo.aec_registry, "av_envs.rir_measure:env"),
}

VARIANTS: dict[str, tuple[str, dict]] = {
    "AVDynamicSep-v0": (SEPARATION, {}),
    "AVDynamicSep3-v0": (SEPARATION, {"num_sources": 3}),
    "AVStaticSep-v0": (
        SEPARATION,
        {"start": "near", "dynamic": False, "reward": "improvement"},
    ),
    "AVFarSep-v0": (
        SEPARATION,
        {"start": "far", "dynamic": False, "steps": 80, "reward": "approach"},
    ),
    "AVRIRMeasure-v0": (MEASURING, {}),
    "AVRIRMeasureHouse-v0": (MEASURING, {"kind": "house", "grid": 1.0, "steps": 300}),
}


def register_all() -> None:
    for env_id, (entry_point, kwargs) in VARIANTS.items():
        if env_id not in registry:
            register(
                id=env_id,
                entry_point=entry_point,
                vector_entry_point=VECTORS[entry_point],
                kwargs=kwargs,
            )
        if entry_point == MEASURING:
            for kind, (known, team_entry_point) in TEAMS.items():
                if env_id not in known:
                    pettingzoo.register(kind, env_id, team_entry_point, kwargs=kwargs)
