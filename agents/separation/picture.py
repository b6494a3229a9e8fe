"""Where an agent believes the target to be: `python -m av_envs.agents.separation.picture`.

Plays an episode and draws the house from above at some of its seconds: what is red is where the
policy's map says that the target may be, the darker the likelier. The target is the green disc,
other sources are grey ones, the agent is the blue one with its path and the way it faces.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import pairwise

import gymnasium as gym
import numpy as np

import av_envs  # noqa: F401  (registers the environments)
from av_envs.agents.separation.agent import KINDS
from av_envs.agents.separation.networks.belief import AROUND
from av_envs.agents.separation.play import ENTRIES
from av_envs.conventions import N_HEADINGS
from av_envs.options import positive_int
from av_envs.paths import path_argument
from av_envs.separation.config import SPLITS, STARTS
from av_envs.separation.state import EpisodeState
from av_envs.vision.drawing import Colour, draw_disc, draw_line, draw_text
from av_envs.vision.topdown import TopDownMap, top_down_map
from av_envs.whole_files import replacing

SECONDS = (0, 2, 4, 7, 11, 19)
PIXELS_PER_METRE = 18
CAPTION = 18  # pixels above each map
TARGET: Colour = (0, 140, 80)
OTHER: Colour = (120, 120, 120)
AGENT: Colour = (0, 90, 200)
BELIEF = np.array([214, 40, 20])
INK: Colour = (40, 40, 40)
FULL = 0.2  # probability of a cell that is drawn in full colour


def picture_of(agent: object, env: gym.Env, seed: int) -> np.ndarray:
    """(H, W, 3) uint8, the maps of SECONDS side by side in two rows, of one episode."""
    observation, _ = env.reset(seed=seed)
    agent.reset(seed=seed)
    core, panels, ended = env.unwrapped, [], False
    while not ended:
        state = core.state
        action = agent.act(observation)
        if state.t in SECONDS:
            panels.append(panel(state, agent.belief))
        observation, _, terminated, truncated, _ = env.step(action)
        ended = terminated or truncated
    rows = [np.concatenate(panels[k : k + 3], axis=1) for k in range(0, len(panels), 3)]
    return np.concatenate(rows)


def panel(state: EpisodeState, belief: np.ndarray | None) -> np.ndarray:
    """(H, W, 3) uint8, one map.

    belief  (17, 17) log probabilities about the agent, ahead by left; None: nothing is believed
    """
    scene = state.dwelling.scene
    plan = top_down_map(scene, PIXELS_PER_METRE)
    canvas = plan.picture.copy()
    places = scene.graph.positions[:, :2]
    node, heading = state.pose
    if belief is not None:
        _shade(canvas, plan, places[node], heading, np.exp(belief))
    path = plan.world_to_pixel(places[[pose[0] for pose in state.trajectory]])
    for start, end in pairwise(path):
        draw_line(canvas, start, end, 2.0, AGENT)
    for number, sound in enumerate(state.episode.sounds):
        draw_disc(canvas, plan.world_to_pixel(places[sound.node]), 6, OTHER if number else TARGET)
    here = path[-1]
    draw_disc(canvas, here, 6, AGENT)
    draw_line(canvas, here, here + 12 * _ahead(heading) * np.array([1, -1]), 3.0, AGENT)
    caption = np.full((CAPTION, canvas.shape[1], 3), 255, np.uint8)
    draw_text(caption, (4, 4), f"second {state.t}", INK)
    return np.concatenate([caption, canvas])


def _shade(
    canvas: np.ndarray, plan: TopDownMap, place: np.ndarray, heading: int, chances: np.ndarray
) -> None:
    """Blend each cell about the agent with the colour of belief, as much as it is likely."""
    ahead = _ahead(heading)
    left = np.array([-ahead[1], ahead[0]])
    half = PIXELS_PER_METRE / 2
    for (row, column), chance in np.ndenumerate(chances):
        centre = place + (row - AROUND) * ahead + (column - AROUND) * left
        low = np.maximum(np.round(plan.world_to_pixel(centre) - half).astype(int), 0)
        high = low + PIXELS_PER_METRE
        cell = canvas[low[1] : high[1], low[0] : high[0]]
        share = 0.85 * min(1.0, chance / FULL)
        cell[:] = np.round((1 - share) * cell + share * BELIEF)


def _ahead(heading: int) -> np.ndarray:
    angle = heading * 2 * np.pi / N_HEADINGS
    return np.array([np.cos(angle), np.sin(angle)])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="av_envs.agents.separation.picture",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=path_argument, required=True, help="file, PNG")
    parser.add_argument("--agent", default="memoryless", choices=KINDS)
    parser.add_argument("--checkpoint", type=path_argument, help="default: the shipped one")
    parser.add_argument("--separator", type=path_argument, help="likewise")
    parser.add_argument("--locator", type=path_argument, help="likewise")
    parser.add_argument("--split", default="val", choices=SPLITS)
    parser.add_argument("--houses", type=positive_int, default=20, help="of the split")
    parser.add_argument("--start", default="between", choices=STARTS)
    parser.add_argument("--seed", type=int, default=0, help="of the episode")
    arguments = parser.parse_args(argv)
    try:
        from PIL import Image  # of the extra [mesh]
    except ImportError:
        parser.error("pictures need Pillow: pip install pillow")
    try:
        options = {"split": arguments.split, "houses": arguments.houses, "start": arguments.start}
        keys = ("rgb", "depth", "waveform", "mixture", "target", "pose")
        env = gym.make("AVDynamicSep-v0", observations=keys, **options)
        agent = ENTRIES[arguments.agent](
            env.observation_space,
            env.action_space,
            seed=arguments.seed,
            checkpoint=arguments.checkpoint,
            separator=arguments.separator,
            locator=arguments.locator,
        )
    except (ValueError, OSError) as mistake:
        parser.error(str(mistake))
    drawn = Image.fromarray(picture_of(agent, env, arguments.seed)).quantize(128)
    with replacing(arguments.out) as draft:
        drawn.save(draft, format="PNG", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
