"""Environments and networks that are quick to train on."""

import gymnasium as gym
import pytest

import av_envs  # noqa: F401  (registers the environments)
from av_envs.rir_measure import parallel_env

# SuperSuit's batches have no attributes that Stable-Baselines3 could ask for
without_render_mode = pytest.mark.filterwarnings(
    "ignore:The `render_mode` attribute is not defined:UserWarning"
)

STEPS = 5
SMALL = {"houses": 1, "steps": STEPS}
SMALL_TEAM = {**SMALL, "predictor": "zero"}
OPTIONS = {"AVDynamicSep-v0": SMALL, "AVRIRMeasure-v0": SMALL_TEAM}
TINY = {"features_dim": 16, "channels": (4, 4, 4)}  # of AVFeaturesExtractor
BRIEF = {"n_steps": 6, "batch_size": 6, "n_epochs": 1, "seed": 0}  # of the PPOs

every_task = pytest.mark.parametrize("env_id", OPTIONS)


def single(env_id: str, **options) -> gym.Env:
    return gym.make(env_id, **{**OPTIONS[env_id], **options})


def batch(env_id: str, kind: str, mode: str, num_envs: int = 2, **options):
    """Several environments by Gymnasium's own class ("sync") or by that of this project."""
    options = {**OPTIONS[env_id], **options}
    if kind == "native":
        return gym.make_vec(env_id, num_envs, autoreset_mode=mode, **options)
    return gym.make_vec(
        env_id,
        num_envs,
        vectorization_mode=kind,
        vector_kwargs={"autoreset_mode": mode},
        **options,
    )


def team(**options):
    """The measuring task as a PettingZoo environment."""
    return parallel_env(**{**SMALL_TEAM, **options})


def robots_of_supersuit(n_teams: int = 1, **options):
    """Every robot of every team as an environment of Stable-Baselines3."""
    from supersuit import concat_vec_envs_v1, pettingzoo_env_to_vec_env_v1

    robots = pettingzoo_env_to_vec_env_v1(team(**options))
    return concat_vec_envs_v1(robots, n_teams, base_class="stable_baselines3")
