"""Actions lead where they lead single agents, from every node and heading."""

import numpy as np
import torch

from av_envs.scene import scene_name
from av_envs.separation import actions
from av_envs.separation.actions import Action
from av_envs.separation.device.motion import HeadingTables, pose_after, pose_since
from av_envs.separation.observation import pose_since as single_pose_since
from av_envs.worlds.traced import open_dwelling

TABLES = HeadingTables(torch.device("cpu"))


def test_walls_and_sources_are_in_the_way():
    graph = open_dwelling(scene_name("train", 0), 1.0).scene.graph
    n = len(graph)
    cases = np.array(np.meshgrid(np.arange(n), np.arange(4), np.arange(4))).reshape(3, -1)
    node, heading, action = torch.tensor(cases)
    ahead = torch.tensor(graph.neighbours).long()[node, heading]
    for blocked in (None, [5, 17, n - 1]):
        stand = None if blocked is None else torch.tensor([blocked] * len(node))
        ours = torch.stack(pose_after(action, node, heading, ahead, stand, TABLES), 1)
        theirs = [
            actions.pose_after(Action(a), n, h, graph.neighbours, set(blocked or ()))
            for n, h, a in cases.T.tolist()
        ]
        assert ours.tolist() == [list(map(int, pose)) for pose in theirs]


def test_poses_are_the_same_to_the_bit():
    rng = np.random.default_rng(0)
    positions = rng.uniform(-20, 20, (2, 3)).astype(np.float32)
    offset = torch.tensor(positions[1] - positions[0])
    for first in range(4):
        for heading in range(4):
            expected = single_pose_since(positions, (0, first), (1, heading), 7)
            numbers = torch.tensor([[first], [heading], [7]])
            ours = pose_since(offset[None], *numbers, TABLES)
            np.testing.assert_array_equal(ours[0], expected)
