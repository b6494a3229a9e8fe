"""What moves depend on: `python -m av_envs.agents.rir_measure.importance --checkpoint FILE`.

At every step of some episodes one sense of each robot is replaced by noise while its memory stays
what it was: the farther the chances of its moves are from the true ones, the more it matters.
Equation 18 of Yu et al., IJCAI 2023, appendix A.6. Prints the mean share of each sense, and writes
the shares of every step into --out. A map, which the paper's robots do not see, is replaced by one
of which every cell is 0 or 1 by chance, and stays when positions are replaced.
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.rir_measure.maps import Maps
from av_envs.agents.rir_measure.networks.policy import PolicyConfig
from av_envs.agents.rir_measure.presets import ENVIRONMENTS
from av_envs.agents.rir_measure.senses import FOOTPRINTS, features_of, needed_observations
from av_envs.agents.rir_measure.team import TeamNetworks, load_team
from av_envs.agents.rir_measure.team_options import team_parser
from av_envs.conventions import N_HEADINGS
from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.whole_files import write_whole

SENSES = {"vision": ("rgb", "depth"), "azimuth": ("azimuth",), "position": ("position",)}
MAP = "map"  # which is no observation, but drawn by those who see one
DRAWS = 8  # of noise in every step
NOTHING = 1e-12  # sum of divergences below which all senses matter alike

Observation = Mapping[str, np.ndarray]


def senses_of(policy: PolicyConfig) -> tuple[str, ...]:
    """Names of what its robots know the dwelling by."""
    return (*SENSES, MAP) if policy.map else tuple(SENSES)


def with_noise(
    observation: Observation, sense: str, bounds: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The observation of a team with one sense of all robots replaced.

    bounds  (2, 3) metres, lowest and highest position in the dwelling

    Colours and depths are uniform, headings any of the four while the time stays, positions
    anywhere in the dwelling. Nothing that is observed is part of the map.
    """
    changed = dict(observation)
    for key in SENSES.get(sense, ()):
        if key not in observation:
            continue
        shape = observation[key].shape
        if key == "rgb":
            changed[key] = rng.integers(0, 256, shape, np.uint8)
        elif key == "depth":
            changed[key] = rng.random(shape, np.float32)
        elif key == "azimuth":
            changed[key] = observation[key].copy()
            changed[key][:, 0] = rng.integers(N_HEADINGS, size=shape[0]) / N_HEADINGS
        else:
            changed[key] = rng.uniform(*bounds, shape).astype(np.float32)
    return changed


def divergences(logits: Tensor, changed: Tensor) -> Tensor:
    """(...) nats, of the chances with logits `changed` (..., A) from the true ones (..., A)."""
    true = logits.softmax(-1)
    logs = (logits.log_softmax(-1) - changed.log_softmax(-1)).masked_fill(true == 0, 0.0)
    return (true * logs).sum(-1).clamp(min=0.0)  # what rounding leaves may be less


def shares(found: np.ndarray) -> np.ndarray:
    """Divergences (..., senses) over their sum; alike where nothing matters."""
    total = found.sum(axis=-1, keepdims=True)
    alike = np.full_like(found, 1 / found.shape[-1])
    return np.where(total < NOTHING, alike, found / np.maximum(total, NOTHING))


@torch.no_grad()
def importance(networks: TeamNetworks, env: gym.Env, seed: int) -> np.ndarray:
    """(steps, robots, senses) shares over an episode that the team plays; see `senses_of`."""
    senses, policy = networks.config.senses, networks.policy
    names = senses_of(policy.config)
    rng, draws = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    observation, _ = env.reset(seed=seed)
    bounds, is_over, found = env.unwrapped.scene.bounds, False, []
    state, starts = policy.initial_state(1), torch.ones(1, 1, dtype=torch.bool)
    maps = Maps(policy.config, 1)
    while not is_over:
        rows = [observation] + [
            with_noise(observation, sense, bounds, rng) for sense in names for _ in range(DRAWS)
        ]
        stacked = {key: np.stack([row[key] for row in rows]) for key in observation}
        seen, count = features_of(stacked, senses), len(rows)
        drawn = maps.add({key: value[:1] for key, value in seen.items()}, starts[0])
        if FOOTPRINTS in drawn:
            shown = drawn[FOOTPRINTS].repeat(count, 1, 1, 1, 1)
            shown[-DRAWS:] = torch.randint(2, shown[-DRAWS:].shape, generator=draws)
            seen[FOOTPRINTS] = shown
        features = {key: value[None] for key, value in seen.items()}
        output = policy(features, state.expand(count, -1), starts.expand(1, count))
        logits = output.logits[0]  # (1 + senses * DRAWS, R, A)
        far = divergences(logits[:1], logits[1:]).unflatten(0, (len(names), DRAWS)).mean(1)
        found.append(far.T.numpy())
        state, starts = output.state[:1], torch.zeros_like(starts)
        moves = torch.multinomial(logits[0].softmax(-1), 1, generator=draws)[:, 0]
        observation, _, terminated, truncated, _ = env.step(moves.numpy())
        is_over = terminated or truncated
    return shares(np.array(found))


def main(argv: list[str] | None = None) -> int:
    parser = team_parser("importance", __doc__)
    parser.add_argument("--episodes", type=positive_int, default=5)
    parser.add_argument("--houses", type=positive_int, default=20, help="of the split test")
    parser.add_argument("--out", type=path_argument, help="CSV file of all steps")
    given = parser.parse_args(argv)
    try:
        networks, _ = load_team(given.checkpoint, given.preset)
        env = gym.make(
            ENVIRONMENTS[given.env],
            split="test",
            houses=given.houses,
            steps=given.steps,
            predictor="zero",
            robots=networks.config.policy.robots,
            observations=needed_observations(networks.config.senses),
        )
        seeds = range(given.seed, given.seed + given.episodes)
        found = np.stack([importance(networks, env, seed) for seed in seeds])
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    names = senses_of(networks.config.policy)
    print("| robot | " + " | ".join(names) + " |\n" + "|---" * (1 + len(names)) + "|")
    for robot, means in enumerate(found.mean(axis=(0, 1))):
        print(f"| {robot} | " + " | ".join(f"{100 * mean:.1f} %" for mean in means) + " |")
    if given.out is not None:
        _write(given.out, found, names, list(seeds))
    return 0


def _write(path: Path, found: np.ndarray, names: Sequence[str], seeds: list[int]) -> None:
    """A row per episode, step and robot."""
    text = StringIO()
    table = csv.writer(text)
    table.writerow(["seed", "step", "robot", *names])
    for (episode, step, robot), _ in np.ndenumerate(found[..., 0]):
        rounded = found[episode, step, robot].round(4).tolist()
        table.writerow([seeds[episode], step, robot, *rounded])
    write_whole(path, text.getvalue().encode())


if __name__ == "__main__":
    sys.exit(main())
