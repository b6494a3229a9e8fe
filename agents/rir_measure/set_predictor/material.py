"""What the predictor is trained on: dwellings in which two robots measured along walks.

In each dwelling two robots walk to unvisited nodes, the nearest first, and measure both ways in
every step. After some numbers of steps the same held-out pairs of nodes are asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from av_envs.agents.rir_measure.set_predictor.knowledge import Knowledge, Question
from av_envs.agents.rir_measure.set_predictor.objective import Truth, describe_truth
from av_envs.conventions import N_HEADINGS
from av_envs.rir_measure.measurement import Measurement, measured_between
from av_envs.rir_measure.queries import draw_queries
from av_envs.scene import NavigationGraph, scene_name
from av_envs.worlds.base import Dwelling
from av_envs.worlds.traced import open_dwelling

GRIDS = {"flat": 0.5, "house": 1.0}  # m, as on the boards
STEPS = (2, 5, 10, 25, 50, 100, 200)  # of a walk, after which is asked
LEAD = 0.5  # m nearer to a node that the other robot is from it count as much as one walked
RELATIVE = ("relation",)  # arrays of a question with an axis of measured pairs, the second
OF_SET = ("measured", "louder", "direct")  # the first

Pose = tuple[int, int]  # node and heading


class Batch(NamedTuple):
    """What is asked of the network at once, as tensors, and what is true."""

    question: dict[str, Tensor]
    truth: Truth
    arrival: Tensor


@dataclass(frozen=True)
class Lesson:
    """One walk: what was known after each of `STEPS`, and how the held-out pairs sound.

    name       of the dwelling
    questions  one for each of `STEPS`
    truth      of the held-out pairs
    queries    the pairs with their responses, for validation alone
    """

    name: str
    questions: tuple[Question, ...]
    truth: Truth
    queries: Measurement | None

    def batch(self, after: int, part: np.ndarray, kept: np.ndarray | None = None) -> Batch:
        """Some of the held-out pairs after STEPS[after] steps.

        part  numbers of the pairs
        kept  numbers of the measured pairs that are known; None: all
        """
        question = self.questions[after]
        kept = np.arange(len(question.direct)) if kept is None else kept
        asked = {}
        for name, array in question._asdict().items():
            if name in OF_SET:
                chosen = array[kept]
            elif name in RELATIVE:
                chosen = array[part][:, kept]
            else:
                chosen = array[part]
            asked[name] = torch.from_numpy(np.ascontiguousarray(chosen))
        truth = Truth(*(torch.from_numpy(array[part]).float() for array in self.truth))
        return Batch(asked, truth, asked.pop("arrival"))

    def draw(self, rng: np.random.Generator, size: int) -> Batch:
        """A batch of `size` pairs after some steps of the walk, with all or some of the set."""
        after = int(rng.integers(len(STEPS)))
        n_measured = len(self.questions[after].direct)
        kept = None
        if rng.random() < 0.5:
            few = int(np.exp(rng.uniform(0, np.log(n_measured))))
            kept = np.sort(rng.choice(n_measured, few, replace=False))
        n = len(self.truth.mean)
        return self.batch(after, rng.choice(n, min(size, n), replace=False), kept)


def lesson(split: str, index: int, kind: str, queries: int, keeps_responses: bool) -> Lesson:
    """The walk in dwelling `index` of a split, always the same."""
    name = scene_name(split, index, kind)
    dwelling = open_dwelling(name, GRIDS[kind])
    rng = np.random.default_rng([index, len(kind)])
    graph = dwelling.scene.graph
    asked = measured_between(dwelling.acoustics, graph, draw_queries(queries, graph, rng))
    knowledge, questions = Knowledge(), []
    for step, poses in enumerate(walk(graph, rng, STEPS[-1])):
        knowledge.look([_seen_from(dwelling, poses)])
        (one, ahead), (other, away) = poses
        nodes = np.array([(one, other, away), (other, one, ahead)])
        measured = measured_between(dwelling.acoustics, graph, nodes)
        knowledge.measure(measured.pairs, measured.rirs)
        if step + 1 in STEPS:
            questions.append(knowledge.question(asked.pairs))
    truth = describe_truth(asked.pairs, asked.rirs)
    return Lesson(name, tuple(questions), truth, asked if keeps_responses else None)


def _seen_from(dwelling: Dwelling, poses: tuple[Pose, ...]) -> dict[str, dict[str, np.ndarray]]:
    """What robots in these poses observe, as far as knowledge needs it."""
    return {
        f"robot_{k}": {
            "position": dwelling.scene.graph.positions[node],
            "azimuth": np.array([heading / N_HEADINGS, 0], np.float32),
            "depth": dwelling.views.view(node, heading)[1],
        }
        for k, (node, heading) in enumerate(poses)
    }


def walk(
    graph: NavigationGraph, rng: np.random.Generator, steps: int
) -> Iterator[tuple[Pose, Pose]]:
    """Poses of two robots in every step: each turns and walks to the node that suits it best.

    That is the nearest one that nobody visited, those that the other robot is nearer to later;
    when all are visited, any.
    """
    nodes = [int(node) for node in rng.choice(len(graph), 2, replace=False)]
    headings = [int(heading) for heading in rng.integers(N_HEADINGS, size=2)]
    goals = list(nodes)
    visited = np.zeros(len(graph), bool)
    far = graph.walking_distances
    for _ in range(steps):
        visited[nodes] = True
        yield (nodes[0], headings[0]), (nodes[1], headings[1])
        for robot, other in ((0, 1), (1, 0)):
            if visited[goals[robot]] and (nodes[robot] == goals[robot] or not visited.all()):
                left = np.flatnonzero(~visited & np.isfinite(far[nodes[robot]]))
                if len(left):
                    lead = far[nodes[robot], left] - LEAD * far[nodes[other], left]
                    goals[robot] = int(left[np.argmin(lead)])
                else:
                    goals[robot] = int(rng.choice(np.flatnonzero(np.isfinite(far[nodes[robot]]))))
            beside = graph.neighbours[nodes[robot]]
            ways = np.where(beside >= 0, far[beside, goals[robot]], np.inf)
            ways = ways + 1e-3 * ((np.arange(N_HEADINGS) - headings[robot]) % N_HEADINGS != 0)
            ahead = int(np.argmin(ways))
            if nodes[robot] == goals[robot]:
                headings[robot] = int(rng.integers(N_HEADINGS))
            elif ahead == headings[robot]:
                nodes[robot] = int(beside[ahead])
            else:
                turn = 1 if (ahead - headings[robot]) % N_HEADINGS <= 2 else -1
                headings[robot] = (headings[robot] + turn) % N_HEADINGS
