"""The team as one agent: the Gymnasium environment over `MeasureEnv`."""

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from av_envs.paths import PlainSpec
from av_envs.rir_measure.actions import Action, checked_prediction, rir_space
from av_envs.rir_measure.config import MeasureConfig
from av_envs.rir_measure.env import MeasureEnv
from av_envs.rir_measure.measurement import Measurement
from av_envs.rir_measure.predictors import RIRPredictor
from av_envs.scene import Scene
from av_envs.space_generators import generator_states, go_on

# info keys of which every robot has its own
OF_ROBOT = ("collision", "stopped", "new_nodes", "node", "heading", "action_mask")


class JointMeasureEnv(gym.Env):
    """Robots emit and listen in turn, and walk, to measure how a dwelling sounds.

    ## Description

    Two robots in a dwelling that they have never seen. Every second each plays a sound while
    the other listens, so that the impulse responses of both directions become known; then both
    move at once. A predictor says before each measurement what it will be. The team is paid for
    predictions that get better, for nodes visited for the first time, and for walking so that the
    robots spread out. After Yu, Chen, Cao, Yang and Sun, "Measuring Acoustics with Collaborative
    Multiple Agents", IJCAI 2023.

    | id                     | what is different                                           |
    |------------------------|-------------------------------------------------------------|
    | `AVRIRMeasure-v0`      | nothing: flats, nodes every 0.5 m, 250 steps                |
    | `AVRIRMeasureHouse-v0` | houses, nodes every metre, 300 steps                        |

    `gymnasium.make(id)` gives the team as one agent, described here;
    `pettingzoo.make("parallel", id)` and `av_envs.rir_measure.parallel_env()` give the
    PettingZoo environment with the robots `robot_0`, `robot_1`, ..., whose observations
    are the same arrays without the first axis. `av_envs.rir_measure.env()` lets the robots act
    in turn.

    ## Observation space

    A `Dict`; the option `observations` picks the keys. N is the number of robots.

    | key            | shape            | dtype   | meaning                                    |
    |----------------|------------------|---------|--------------------------------------------|
    | `rgb`          | (N, 128, 128, 3) | uint8   | what each robot sees, 90 degrees wide      |
    | `depth`        | (N, 128, 128, 1) | float32 | distance along the view axis, 1 is 10 m    |
    | `azimuth`      | (N, 2)           | float32 | heading in whole turns from east, and the  |
    |                |                  |         | share of the time that is over             |
    | `position`     | (N, 3)           | float32 | metres, see `position_frame`               |
    | `action_mask`  | (N, 4)           | int8    | 1 for what a robot may do                  |
    | `heard_rir`    | (N, K, 2, 16000) | float32 | the K responses that a robot just received |
    |                |                  |         | (not by default, nor are those below)      |
    | `partner_pose` | (N, N - 1, 4)    | float32 | the others, in order: metres forward, left |
    |                |                  |         | and up of the robot, and their heading     |
    |                |                  |         | against its own in whole turns             |
    | `semantic`     | (N, 128, 128)    | uint8   | what each pixel shows, an index into       |
    |                |                  |         | `av_envs.scene.CATEGORIES`                 |

    ## Action space

    `MultiDiscrete([4] * N)`, per robot: 0 stop, 1 forward by one node, 2 turn left, 3 turn
    right (by 90 degrees). Forward into a wall or furniture stays where it is and says so in
    the info. Robots do not stand in each other's way. `action_masks()` gives the mask as
    MaskablePPO of sb3-contrib wants it.

    | `stop_mode` | what stop does                                                            |
    |-------------|---------------------------------------------------------------------------|
    | `"mask"`    | it is masked out before the last step; taken anyway, the robot stays put    |
    | `"latch"`   | the robot stays put for good, but still emits and listens; when all have  |
    |             | stopped the episode is terminated                                         |
    | `"any"`     | the first stop terminates the episode                                     |

    With `prediction="action"` a `Dict`: `move` is as above, `rir` (P, 2, 16000) float32 are the
    predicted responses of all P pairs at the present poses. A robot of the PettingZoo environment
    hands in those that it receives, or sends to a fixed receiver. The mask is then no observation:
    the info has `action_mask_0`, ..., each a dict of a `move` and `rir`, which has none.

    ## Reward

    The sum of four differences between one step and the next (equations 6 to 11):

    | component | weight       | default | quantity                                              |
    |-----------|--------------|---------|-------------------------------------------------------|
    | `r_xi`    | `alpha_xi`   |  1.0    | xi: minus the distance of the predicted responses from|
    |           |              |         | the measured ones, over short-time spectra            |
    | `r_zeta`  | `alpha_zeta` |  1.0    | zeta: coverage, the share of nodes that were visited  |
    | `r_psi`   | `alpha_psi`  | -1.0    | psi: perimeter in metres of the hull of where the     |
    |           |              |         | robots are and were one step before                   |
    | `r_phi`   | `alpha_phi`  |  1.0    | phi: area of that hull in square metres               |

    The scales are unequal by nature: a new node is worth 0.01, a square metre 1. All components
    are in the info. `rho=-1` gives the whole reward to every robot, 0 to 1 the share
    (1 - rho) / N; the joint view always returns the whole.

    ## Predictions

    | `prediction` | source of the predictions                                                |
    |--------------|--------------------------------------------------------------------------|
    | `"env"`      | `predictor`: "zero", "mean" (of the train split), "nearest_measured",    |
    |              | "interpolating", "interpolating_depth" (looks at depth images), "oracle" |
    |              | (knows the truth), "module:Factory", such as the learned                 |
    |              | "av_envs.agents.rir_measure:SetPredictor", or an object with the methods |
    |              | of `av_envs.rir_measure.predictors.RIRPredictor`                         |
    | `"submit"`   | you: `env.unwrapped.submit_prediction(rirs)` before a step; without it   |
    |              | that step has `xi_valid` 0, and it and the next one r_xi 0               |
    | `"action"`   | you, within the action                                                   |
    | `"none"`     | none: r_xi is 0, and a trainer adds it from `measurement`                |

    `xi_timing="post_move"` (default of "env") compares predictions at the poses after the move;
    `"pre_move"` (default of "submit" and "action") at those before it, one step later. With the
    same timing and the same predictions all routes give the same rewards. Predictors are not
    shown `heard_rir`, and agents that predict should not look at it: what was just measured is
    what they predict.

    ## Arguments

    | option               | default     | meaning                                              |
    |----------------------|-------------|------------------------------------------------------|
    | `split`              | `"train"`   | dwellings: also `"val"`, `"test"`                    |
    | `kind`               | `"flat"`    | of dwelling: also `"house"`                          |
    | `houses`             | 32          | dwellings of the split that episodes draw from       |
    | `grid`               | 0.5         | m between the nodes: 0.5 or 1.0                      |
    | `steps`              | 250         | actions of an episode, one second each               |
    | `robots`             | 2           | 1 to 16                                              |
    | `starts_facing`      | `"any"`     | `"open"`: no wall just ahead, see below              |
    | `emitters`           | None        | numbers of the robots that emit; None: all           |
    | `receivers`          | None        | numbers of the robots that listen; None: all         |
    | `fixed_sources`      | 0           | loudspeakers that stand still, on random nodes       |
    | `fixed_receivers`    | 0           | dummy heads that stand still, in random poses        |
    | `directions`         | `"both"`    | `"forward"`: only from a robot to later ones         |
    | `prediction`         | `"env"`     | see above; so are `predictor` and `xi_timing`        |
    | `predictor`          | `"mean"`    |                                                      |
    | `xi_timing`          | None        |                                                      |
    | `alpha_xi`, ...      |             | weights of the reward, see there                     |
    | `rho`                | -1.0        | how rewards are shared, see there                    |
    | `stop_mode`          | `"mask"`    | see the action space                                 |
    | `terminate_on_full_coverage` | False | whether the episode ends when all is visited       |
    | `observations`       | five keys   | which keys an observation has                        |
    | `position_frame`     | `"scene"`   | x east, y north, z up; `"start"`: metres forward,    |
    |                      |             | left and up of the robot's own start                 |
    | `queries`            | 0           | held-out pairs whose prediction is scored, too       |
    | `room_errors`        | False       | errors of room-acoustic measures in the info         |
    | `expose_rir`         | False       | measured responses in the info, for trainers         |
    | `wcr_lambda`         | 0.1         | weight of the accuracy in WCR                        |
    | `render_levels`      | False       | pictures show how loud the first emitter is at every |
    |                      |             | node instead of what is still unseen                 |
    | `hrtf`               | `"kemar"`   | or the path of a SOFA file                           |
    | `backend`            | `"traced"`  | procedural dwellings; the others and their options   |
    |                      |             | are those of `av_envs.worlds.base.BACKENDS`; `look`  |
    |                      |             | "flat": views without lamps, shadows and doors, see  |
    |                      |             | AVDynamicSep-v0                                      |
    | `backend_options`    | None        | its options, which may also be given directly        |

    ## Starting state

    The robots stand on different random nodes with random headings. With `starts_facing="open"`
    none begins in front of a wall, as one in five does otherwise: where half of what it sees is
    nearer than 1 m, its heading is drawn again from those where it is not, if there are any.
    `reset(options=...)` takes `house` (0 <= k < `houses`) or `scene` (a name such as "flat-7"),
    `start_nodes` and `start_headings` (one per robot; they are taken as they are),
    `fixed_sources` (nodes) and `fixed_receivers` ([node, heading] each).

    ## Episode end

    Truncated after `steps` actions. Terminated only as `stop_mode` and
    `terminate_on_full_coverage` say.

    ## Info

    float32 scalars, the same keys at every step. Of the team: `r_xi`, `r_zeta`, `r_psi`, `r_phi`
    and their quantities `xi`, `zeta`, `psi`, `phi`; `delta` (the distance of this prediction),
    `xi_valid`, `pe_mean` (its mean over the episode: PE), `pes` (tanh(PE / 2)), `cr` (coverage),
    `wcr` ((1 - lambda) CR + lambda (1 - PES)), `t`, `house` (-1 for a named scene). Per robot,
    with its number at the end, as in `node_0`: `collision`, `stopped`, `node`, `heading`, and
    `new_nodes`, 1 on a node where no robot was before (of two robots that arrive at once, for the
    first). With `room_errors`: `rte_ms`, `rte_pct`, `edt_ms`, `drr_db`, `c50_db`, `lr_db`,
    `sisdr`, `snr`, `snr01`. With `queries`: `pe_query`, the mean distance over held-out pairs
    after 10, 25, 50, 100, ... steps, and `pe_query_auc`, its mean over the steps so far; both
    are NaN until they are asked for the first time. Scores of what was not predicted are
    infinitely bad. `expose_rir` adds the arrays `rir` (P, 2, 16000) and, as does
    `prediction="none"`, `rir_nodes` (P, 3): node of the emitter, node and heading of the
    receiver.
    """

    spec = PlainSpec()
    task: ClassVar[str] = "rir_measure"
    config_type: ClassVar[type] = MeasureConfig
    metadata: ClassVar[dict] = {"render_modes": ["rgb_array"], "render_fps": 4}

    def __init__(self, *, render_mode: str | None = None, **options):
        self.team = MeasureEnv(render_mode=render_mode, **options)
        self.config = self.team.config
        self.render_mode = render_mode
        self._make_spaces()

    def _make_spaces(self) -> None:
        robots = self.team.possible_agents
        spaces_of = self.team.observation_spaces
        self.observation_space = spaces.Dict(
            {
                key: _stacked(key, [spaces_of[robot][key] for robot in robots])
                for key in spaces_of[robots[0]]
            }
        )
        moves = spaces.MultiDiscrete([len(Action)] * len(robots))
        self.action_space = moves
        if self.config.prediction == "action":
            rir = rir_space(len(self.team.links))
            self.action_space = spaces.Dict({"move": moves, "rir": rir})

    def __getstate__(self) -> dict[str, Any]:
        """All but the spaces, which a copy makes anew."""
        made_anew = "observation_space", "action_space"
        state = {key: value for key, value in vars(self).items() if key not in made_anew}
        return {**state, "of_spaces": generator_states(self.observation_space, self.action_space)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        of_spaces = state.pop("of_spaces")
        vars(self).update(state)
        self._make_spaces()
        go_on(of_spaces, self.observation_space, self.action_space)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        self.team.np_random = self.np_random
        observations, infos = self.team.reset(options=options)
        return self._stack(observations), self._info(infos)

    def step(self, action: Any):
        first = self.team.possible_agents[0]
        observations, _, terminated, truncated, infos = self.team.step(self._split(action))
        info = self._info(infos)
        reward = self.team.team_reward
        return self._stack(observations), reward, terminated[first], truncated[first], info

    def render(self) -> np.ndarray | None:
        """As `MeasureEnv.render`."""
        return self.team.render()

    def hear(self) -> np.ndarray:
        """(2, 4000) float32: a clap at the first emitter as its first receiver hears it."""
        from av_envs.rir_measure.audible import measured_sound

        return measured_sound(self.measurement.rirs[0], 1 / self.metadata["render_fps"])

    @property
    def has_views(self) -> bool:
        """As `MeasureEnv.has_views`."""
        return self.team.has_views

    def see(self) -> np.ndarray:
        """As `MeasureEnv.see`."""
        return self.team.see()

    def replay_log(self) -> dict[str, Any]:
        """As `MeasureEnv.replay_log`."""
        return self.team.replay_log()

    def action_masks(self) -> np.ndarray:
        """(4 N,) bool: what each robot may do, robot after robot."""
        return self.team.action_masks().ravel()

    def use_predictor(self, predictor: str | RIRPredictor) -> None:
        """As `MeasureEnv.use_predictor`."""
        self.team.use_predictor(predictor)

    def submit_prediction(self, rirs: np.ndarray) -> None:
        """As `MeasureEnv.submit_prediction`."""
        self.team.submit_prediction(rirs)

    def privileged(self, key: str) -> np.ndarray:
        """As `MeasureEnv.privileged`."""
        return self.team.privileged(key)

    @property
    def scene(self) -> Scene:
        return self.team.scene

    @property
    def trajectories(self) -> dict[str, list[tuple[int, int]]]:
        return self.team.trajectories

    @property
    def measurement(self) -> Measurement:
        return self.team.measurement

    def _split(self, action: Any) -> dict[str, Any]:
        """The action of each robot."""
        robots, predicts = self.team.possible_agents, isinstance(self.action_space, spaces.Dict)
        if predicts and (not isinstance(action, Mapping) or set(action) != {"move", "rir"}):
            raise ValueError(f"the action must be a dict of 'move' and 'rir', got {action!r}")
        moves = np.asarray(action["move"] if predicts else action)
        if moves.shape != (len(robots),):
            raise ValueError(f"the moves must be {len(robots)} numbers, got shape {moves.shape}")
        if not predicts:
            return dict(zip(robots, moves, strict=True))
        rirs = checked_prediction(action["rir"], len(self.team.links), "the action")
        return {
            robot: {"move": move, "rir": rirs[self.team.owned_links[robot]]}
            for robot, move in zip(robots, moves, strict=True)
        }

    def _stack(self, observations: dict[str, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        rows = list(observations.values())
        return {key: np.stack([row[key] for row in rows]) for key in self.config.observed}

    def _info(self, infos: dict[str, dict[str, Any]]) -> dict[str, Any]:
        rows = list(infos.values())
        team = {key: value for key, value in rows[0].items() if key not in OF_ROBOT}
        own = {
            f"{key}_{k}": row[key] for k, row in enumerate(rows) for key in OF_ROBOT if key in row
        }
        return {**team, **own}


def _stacked(key: str, boxes: list[spaces.Box]) -> spaces.Box:
    """One space for the arrays of all robots."""
    if len({box.shape for box in boxes}) > 1:
        raise ValueError(
            f"observations: {key!r} differs in shape between robots {[b.shape for b in boxes]}; "
            "use the PettingZoo environment or leave it out"
        )
    low, high = (np.stack([getattr(box, end) for box in boxes]) for end in ("low", "high"))
    return spaces.Box(low, high, dtype=boxes[0].dtype)
