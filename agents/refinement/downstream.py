"""What cheap acoustics change for agents: `python -m av_envs.agents.refinement.downstream`.

The same episodes and takes in houses that sound as the cheap tier says, as that refined, and as
the true tier says. In `AVDynamicSep-v0` rule agents play, whose walks do not depend on what is
heard: the SI-SDR of what the environment scores, dB, mean over an episode. In takes the shipped
localiser says where one source is: its mean error in a take, degrees. Beside each stands how much
more it is than with the true tier in the same episodes or takes; intervals (95 %) are bootstraps
over these.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch

import av_envs  # noqa: F401  (registers the environments)
from av_envs import plugins
from av_envs.acoustics import AcousticBackend
from av_envs.acoustics.refined import RefinedAcoustics
from av_envs.agents.intervals import mean_interval
from av_envs.agents.localization.features import features
from av_envs.agents.localization.listening import found_in
from av_envs.agents.localization.localizer import load_localizer
from av_envs.agents.localization.metrics import matched_pairs
from av_envs.agents.localization.rendering import heard_through
from av_envs.agents.localization.sequences import labelled
from av_envs.agents.localization.takes import TakeConfig, TakeSampler, labels_of
from av_envs.agents.refinement.refiner import SHIPPED, Refined
from av_envs.agents.refinement.tiers import TIERS, tier_acoustics
from av_envs.options import positive_int
from av_envs.scene import Scene
from av_envs.separation.config import SPLITS

TASK = "AVDynamicSep-v0"
RULES = "av_envs.baselines.separation:StandInPlace", "av_envs.baselines.separation:DoA"
TIER = "av_envs.agents.refinement.tiers:tier_acoustics"
REFINER = "av_envs.agents.refinement:Refined"

HEARD = "mixture", "target"  # observations: rules look at nothing, and views would take time

Scores = dict[str, np.ndarray]  # of each episode or take, by how houses sound


class Sound(NamedTuple):
    """How houses sound: a tier, and what it is refined with, a name or file, or None."""

    tier: str
    refiner: str | None

    @property
    def name(self) -> str:
        return self.tier if self.refiner is None else f"{self.tier}, {self.refiner}"

    @property
    def world(self) -> dict[str, Any]:
        """Options of an environment whose houses sound so."""
        tier = {"acoustics": TIER, "acoustics_options": {"tier": self.tier}}
        if self.refiner is None:
            return tier
        refiner = {"refiner": REFINER, "refiner_options": {"checkpoint": self.refiner}}
        return {"backend": "refined", "base": "traced", "base_options": tier, **refiner}

    def of(self, scene: Scene) -> AcousticBackend:
        """The acoustics of one house."""
        acoustics = tier_acoustics(scene, tier=self.tier)
        if self.refiner is None:
            return acoustics
        return RefinedAcoustics(acoustics, Refined(self.refiner), scene)


def separation(
    agent: str, sounds: Iterable[Sound], episodes: int, options: Mapping[str, Any]
) -> Scores:
    """Mean SI-SDR of each episode, dB.

    agent    "module:Factory" of a rule
    options  of the environment
    """
    found = {}
    for sound in sounds:
        env = gym.make(TASK, observations=HEARD, **sound.world, **options)
        player = plugins.load(agent, "agent")(env.observation_space, env.action_space, seed=0)
        found[sound.name] = np.array([_played(env, player, seed) for seed in range(episodes)])
        env.close()
    return found


def _played(env: gym.Env, player: Any, seed: int) -> float:
    observation, _ = env.reset(seed=seed)
    player.reset(seed=seed)
    keys, heard, is_over = getattr(player, "privileged", ()), [], False
    while not is_over:
        told = [{key: env.unwrapped.privileged(key) for key in keys}] if keys else []
        observation, _, terminated, truncated, info = env.step(player.act(observation, *told))
        heard.append(float(info["si_sdr"]))
        is_over = terminated or truncated
    return float(np.mean(heard))


def localisation(sounds: Iterable[Sound], takes: int, split: str, houses: int) -> Scores:
    """Mean error of directions in each take in which a source sounds, degrees."""
    localizer, _ = load_localizer()
    sampler = TakeSampler(TakeConfig(split=split, houses=houses))
    found: dict[str, list[float]] = {sound.name: [] for sound in sounds}
    houses_as = cache(Sound.of)  # what a house shares between takes is computed once
    for k in range(takes):
        take = sampler.draw(np.random.default_rng([0, k]))
        labels = labels_of(take, sampler.config.tracks)
        if not labels.active.any():
            continue
        for sound in sounds:
            signals = heard_through(take, houses_as(sound, take.dwelling.scene))
            one = labelled(features(localizer.config.kind, signals), labels)
            found[sound.name].append(_error(found_in(localizer, one)))
    return {name: np.array(errors) for name, errors in found.items()}


def _error(frames: Any) -> float:
    """Degrees; 90, that of a guess, where nothing was found."""
    errors = matched_pairs(frames).error
    return float(errors.mean()) if len(errors) else 90.0


def table(scores: Mapping[str, Scores], truth: str) -> str:
    """Markdown: a row for each measure and each way in which houses sound.

    truth  which of them the others should be like
    """
    lines = [f"| | houses sound as | mean | more than with {truth} |", "|---|---|---|---|"]
    for measure, by_sound in scores.items():
        for name, values in by_sound.items():
            apart = "" if name == truth else _shown(values - by_sound[truth], "+.2f")
            lines.append(f"| {measure} | {name} | {_shown(values, '.2f')} | {apart} |")
    return "\n".join(lines)


def _shown(values: np.ndarray, form: str) -> str:
    mean, low, high = (f"{value:{form}}" for value in mean_interval(values))
    return f"{mean} ({low} to {high})"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.refinement.downstream",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = ", ".join(SHIPPED)
    parser.add_argument("--refiner", nargs="*", default=["few_rays"], help=f"{names}, or files")
    parser.add_argument("--cheap", default="T2", choices=TIERS)
    parser.add_argument("--truth", default="T3", choices=TIERS)
    parser.add_argument("--split", default="test_unheard", choices=SPLITS)
    parser.add_argument("--houses", type=positive_int, default=6, help="of the split")
    parser.add_argument("--episodes", type=positive_int, default=16, help="of each rule")
    parser.add_argument("--takes", type=positive_int, default=40, help="of the localiser")
    parser.add_argument("--estimator", default="mixture", help="what the environment scores")
    given = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        if given.cheap == given.truth:
            raise ValueError(f"tier {given.truth} is like itself already: choose another truth")
        sounds = [Sound(given.cheap, None), *(Sound(given.cheap, one) for one in given.refiner)]
        sounds.append(Sound(given.truth, None))
        options = {"split": given.split, "houses": given.houses, "estimator": given.estimator}
        scores = {
            f"SI-SDR of {rule.partition(':')[2]}, dB": separation(
                rule, sounds, given.episodes, options
            )
            for rule in RULES
        }
        found = localisation(sounds, given.takes, given.split, given.houses)
        scores["error of the localiser, degrees"] = found
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    print(table(scores, given.truth))
    return 0


if __name__ == "__main__":
    sys.exit(main())
