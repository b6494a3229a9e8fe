"""Houses and clips come to the device when they are needed, and go when they are not."""

import os
from threading import Event

import numpy as np
import pytest
import torch

from av_envs.scene import scene_name
from av_envs.separation.audio import corpus_of
from av_envs.separation.config import SeparationConfig
from av_envs.separation.device import memory_plan
from av_envs.separation.device.asset_cache import AssetCache, NoMemoryError
from av_envs.separation.device.node_table import NodeTable
from av_envs.separation.device.page_pool import PAGE_BYTES, PagePool
from av_envs.separation.device.vector import DeviceSeparationVectorEnv
from av_envs.separation.episode import draw_in_pool
from av_envs.separation.vector import SeparationVectorEnv
from av_envs.worlds.traced import open_dwelling

DEVICE = torch.device(os.environ.get("AV_ENVS_TEST_DEVICE", "cpu"))
BLIND = {"observations": ["pose"], "reward": "neg_nmse"}
CLIP_PAGES = 20


def drawn(house, seed=0):
    config = SeparationConfig(houses=3)
    return draw_in_pool(
        config, {"house": house}, corpus_of("embedded"), np.random.default_rng(seed)
    )


def store(n_pages, with_views=False):
    return AssetCache(n_pages, DEVICE, corpus_of("embedded"), with_views)


def test_pages_hold_what_the_cpu_sees():
    dwelling = open_dwelling(scene_name("train", 0), 1.0)
    kept = store(1000, with_views=True)
    loaded = kept.load(*drawn(0))
    places = loaded.places[[3, 50]]
    pages = kept.places.view_page[places, [1, 2]]
    for row, (node, heading) in enumerate([(3, 1), (50, 2)]):
        rgb, depth = dwelling.views.view(node, heading)
        np.testing.assert_array_equal(kept.pages.rgb(pages)[row].cpu(), rgb)
        np.testing.assert_array_equal(kept.pages.depth(pages)[row].cpu(), depth)


def test_places_are_the_nodes_of_a_house():
    graphs = [open_dwelling(scene_name("train", k), 1.0).scene.graph for k in range(2)]
    table = NodeTable(DEVICE)
    first = table.add(graphs[0], np.zeros((len(graphs[0]), 4), np.int64))
    table.remove(first)
    for graph in graphs:
        places = table.add(graph, np.zeros((len(graph), 4), np.int64))
        node = table.node.cpu().numpy()
        np.testing.assert_array_equal(node[places], np.arange(len(graph)))
        np.testing.assert_array_equal(table.position[places].cpu(), graph.positions)
        beside = table.neighbours[places].cpu().numpy()
        np.testing.assert_array_equal(beside < 0, graph.neighbours < 0)
        np.testing.assert_array_equal(np.where(beside < 0, -1, node[beside]), graph.neighbours)


def test_the_least_recently_used_makes_room():
    kept = store(CLIP_PAGES * 6 + 3)
    for house in (0, 1, 0):
        kept.release(kept.load(*drawn(house)).keys)
    assert kept.loaded() == [1, 0]
    n_clips = len(kept.loaded("clip"))
    kept.load(*drawn(2, seed=7))
    assert kept.loaded()[-1] == 2
    assert len(kept.loaded("clip")) <= n_clips + 2


def test_what_an_episode_uses_stays():
    kept = store(CLIP_PAGES * 4 + 8)
    first, second = kept.load(*drawn(0)), kept.load(*drawn(1, seed=1))
    clip = torch.tensor(first.clips[0], device=DEVICE)
    before = kept.pages.seconds(clip).clone()
    with pytest.raises(NoMemoryError, match=r"houses of .* and . clips of .* more are needed"):
        kept.load(*drawn(2, seed=2))
    assert torch.equal(kept.pages.seconds(clip), before)
    kept.release(second.keys)
    kept.load(*drawn(2, seed=2))
    assert 0 in kept.loaded()
    assert torch.equal(kept.pages.seconds(clip), before)


def test_what_is_refused_leaves_nothing_held():
    kept = store(CLIP_PAGES + 10)
    for _ in range(2):
        with pytest.raises(NoMemoryError):
            kept.load(*drawn(0))
    assert kept.n_users() == 0


def test_a_pool_larger_than_memory_is_played_all_the_same():
    """With a tenth of what the pool needs, episodes stay those of the CPU."""
    options = {"houses": 3, "steps": 2, **BLIND}
    ours = DeviceSeparationVectorEnv(2, device=DEVICE, memory_gb=0.012, numpy=True, **options)
    theirs = SeparationVectorEnv(2, **options)
    ours.reset(seed=0)
    theirs.reset(seed=0)
    houses = set()
    for _ in range(9):
        mine, expected = ours.step([0, 1]), theirs.step([0, 1])
        np.testing.assert_array_equal(mine[0]["pose"], expected[0]["pose"])
        np.testing.assert_allclose(mine[1], expected[1], atol=1e-4)
        np.testing.assert_array_equal(mine[4]["house"], expected[4]["house"])
        houses |= set(mine[4]["house"].astype(int).tolist())
        assert ours.store.used_gb() <= 0.012
    assert houses == {0, 1, 2}
    ours.close()


def test_a_budget_for_too_few_houses_is_refused():
    envs = DeviceSeparationVectorEnv(3, device=DEVICE, memory_gb=0.005, houses=3, **BLIND)
    with pytest.raises(NoMemoryError, match=r"memory_gb=0\.005 is too little.*fewer environments"):
        envs.reset(seed=0)
    envs.close()


def test_a_whole_pool_is_counted_before():
    """Two houses with views and all clips of the split need less than was put aside."""
    config, corpus = SeparationConfig(houses=2), corpus_of("embedded")
    clips_gb = sum(memory_plan.clips_gb(config, corpus))
    assert clips_gb == pytest.approx(102 * 3 * CLIP_PAGES * PAGE_BYTES / 1e9)
    n_pages = memory_plan.pages_for(config, corpus, True, 100.0)
    assert n_pages * PAGE_BYTES / 1e9 > clips_gb + memory_plan.houses_gb(config, True)
    assert memory_plan.pages_for(config, corpus, True, 0.5) == int(0.5e9 / PAGE_BYTES)
    assert memory_plan.houses_gb(config, False) < memory_plan.houses_gb(config, True)


def test_pages_are_given_out_once():
    pages = PagePool(5, DEVICE)
    first, second = pages.take(2), pages.take(3)
    assert sorted([*first, *second]) == [0, 1, 2, 3, 4]
    pages.give_back(first)
    assert sorted(pages.take(2)) == sorted(first)
    assert pages.n_free == 0


def test_a_step_does_not_wait_while_the_next_episodes_are_drawn(monkeypatch):
    """A step needs none of them, so it returns while the drawing is held up."""
    from av_envs.separation.device import prefetch

    go_on, drawn, draw = Event(), [], prefetch.draw_in_pool

    def slow(*arguments):
        if len(drawn) >= 2:  # those that are played next
            go_on.wait(60)
        drawn.append(draw(*arguments))
        return drawn[-1]

    monkeypatch.setattr(prefetch, "draw_in_pool", slow)
    envs = DeviceSeparationVectorEnv(2, device=DEVICE, houses=2, **BLIND)
    envs.reset(seed=0)
    envs.step([0, 0])
    assert len(drawn) == 2
    go_on.set()
    envs.close()
