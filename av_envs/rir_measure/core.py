"""The verbs of an episode, which `MeasureEnv` composes; all but `begin` take its state.

begin, measure, observe, score, evaluate; then for every step
transition, measure, observe, score, evaluate, and `infos` after both.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from av_envs.rir_measure.actions import Action, checked_prediction, pose_after
from av_envs.rir_measure.episode import draw_in_pool
from av_envs.rir_measure.hull import hull_nodes, hull_perimeter_and_area
from av_envs.rir_measure.measurement import measured_between
from av_envs.rir_measure.observation import MEMORY, mask_of, observation_of, remembered
from av_envs.rir_measure.predictors import RIRPredictor
from av_envs.rir_measure.queries import budgets, draw_queries
from av_envs.rir_measure.rewards import components, quantities, weights
from av_envs.rir_measure.schedule import Roster
from av_envs.rir_measure.scoring import EpisodeScorer
from av_envs.rir_measure.state import EpisodeState, RobotState


def begin(
    roster: Roster, options: Mapping[str, Any] | None, rng: np.random.Generator
) -> EpisodeState:
    """An episode whose robots stand at their starts; nothing is measured yet.

    options  of `reset`
    """
    config = roster.config
    house, dwelling, drawn = draw_in_pool(config, options, rng)
    starts = zip(roster.names, drawn.start_nodes, drawn.start_headings, strict=True)
    robots = {name: RobotState([(node, heading)]) for name, node, heading in starts}
    visited = np.zeros(len(dwelling.scene.graph), bool)
    visited[list(drawn.start_nodes)] = True
    queries = None
    if config.queries:
        graph = dwelling.scene.graph
        nodes = draw_queries(config.queries, graph, rng)
        queries = measured_between(dwelling.acoustics, graph, nodes)
    scorer = EpisodeScorer(config.room_errors, config.wcr_lambda, queries)
    history = deque(maxlen=MEMORY)
    return EpisodeState(roster, house, dwelling, drawn, robots, visited, scorer, history)


def transition(state: EpisodeState, moves: Sequence[Action]) -> None:
    """All robots move at once, one second passes; they do not stand in each other's way."""
    neighbours = state.scene.graph.neighbours
    for robot, move in zip(state.robots.values(), moves, strict=True):
        robot.moves += move.name[0]
        if move is Action.STOP and state.config.stop_mode != "mask":
            robot.stopped = True
        pose, robot.collided = pose_after(
            robot.pose, Action.STOP if robot.stopped else move, neighbours
        )
        robot.new_nodes = int(not state.visited[pose[0]])
        state.visited[pose[0]] = True
        robot.trajectory.append(pose)
    state.t += 1


def measure(state: EpisodeState) -> None:
    """Measure all links of the roster at the present poses."""
    poses, drawn = state.poses, state.drawn
    sources = [*(node for node, _ in poses), *drawn.fixed_sources]
    receivers = [*poses, *drawn.fixed_receivers]
    links = state.roster.links
    nodes = np.array([(sources[link.emitter], *receivers[link.receiver]) for link in links])
    state.measurement = measured_between(state.dwelling.acoustics, state.scene.graph, nodes)


def observe(state: EpisodeState) -> dict[str, dict[str, np.ndarray]]:
    """What every robot observes now, by its name; the history remembers it."""
    observations = {name: observation_of(state, name) for name in state.robots}
    state.history.append(remembered(observations))
    return observations


def score(
    state: EpisodeState,
    predictor: RIRPredictor,
    counts: bool,
    handed_in: Sequence[np.ndarray | None] | None = None,
) -> None:
    """Score the prediction of the present measurement, whichever way it comes in.

    predictor  with prediction="env" it is asked, and then shown the measurement
    counts     whether the score enters the mean of the episode
    handed_in  with prediction="action", the responses of every robot
    """
    route, measurement = state.config.prediction, state.measurement
    if route == "env":
        answer = predictor.predict(measurement.pairs, state.history)
        answer = checked_prediction(answer, len(state.roster.links), "the predictor")
    elif route == "action":
        answer = _put_together(state, handed_in)
    else:
        answer, state.submitted = state.submitted, None
    state.predicted = answer
    state.scorer.score(measurement, answer, counts)
    if route == "env":
        predictor.observe(measurement.pairs, measurement.rirs)


def _put_together(state: EpisodeState, handed_in: Sequence[np.ndarray | None]) -> np.ndarray:
    """The robots' own predictions in the order of the links."""
    answer = np.empty_like(state.measurement.rirs)
    for robot, rirs in zip(state.robots, handed_in, strict=True):
        mine = state.roster.owned[robot]
        answer[mine] = checked_prediction(rirs, len(mine), f"the action of {robot}")
    return answer


def evaluate(state: EpisodeState, predictor: RIRPredictor) -> dict[str, float]:
    """Components of the reward, 0 at the start; held-out pairs are asked when their time is."""
    if state.config.queries and state.t in budgets(state.config.steps):
        state.scorer.score_queries(state.t, predictor, state.history)
    walks = [robot.trajectory for robot in state.robots.values()]
    state.hull = hull_perimeter_and_area(state.scene.graph.positions[hull_nodes(walks), :2])
    before, state.quantities = state.quantities, quantities(state)
    return components(before or state.quantities, state.quantities, weights(state.config))


def ending(state: EpisodeState, moves: Sequence[Action]) -> tuple[bool, bool]:
    """Terminated and truncated, the same for all robots; `is_over` if any of them.

    moves  of the step that has just been taken
    """
    config = state.config
    terminated = (
        (config.stop_mode == "latch" and all(robot.stopped for robot in state.robots.values()))
        or (config.stop_mode == "any" and Action.STOP in moves)
        or (config.terminate_on_full_coverage and bool(state.visited.all()))
    )
    truncated = not terminated and state.t >= config.steps
    state.is_over = terminated or truncated
    return terminated, truncated


def scores(state: EpisodeState) -> dict[str, float]:
    """The metrics of the episode so far."""
    return state.scorer.scores(state.quantities["zeta"])


def infos(state: EpisodeState, gained: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """The infos of all robots: what the team has in common, and what is their own.

    gained  components of the reward
    """
    team = {
        **{f"r_{name}": value for name, value in gained.items()},
        **state.quantities,
        **scores(state),
        "t": state.t,
        "house": state.house,
    }
    told = {}
    for name, robot in state.robots.items():
        node, heading = robot.pose
        own = {
            "collision": robot.collided,
            "stopped": robot.stopped,
            "new_nodes": robot.new_nodes,
            "node": node,
            "heading": heading,
        }
        # adding zero makes 0.0 of -0.0
        told[name] = {key: np.float32(value) + 0 for key, value in {**team, **own}.items()}
        told[name] |= _arrays_for_trainers(state, robot)
    return told


def _arrays_for_trainers(state: EpisodeState, robot: RobotState) -> dict[str, Any]:
    """What does not fit into scalars."""
    config, arrays = state.config, {}
    if config.prediction == "none" or config.expose_rir:
        arrays["rir_nodes"] = state.measurement.nodes.copy()
    if config.expose_rir:
        arrays["rir"] = state.measurement.rirs.copy()
    if config.prediction == "action":
        arrays["action_mask"] = {"move": mask_of(state, robot), "rir": None}
    return arrays
