"""What is exported and read again is what it was: heard, seen, walked and drawn."""

import gymnasium as gym
import numpy as np
import pytest
from small_scene import BACKEND, NAME, small_export

from av_envs.soundspaces import SoundSpacesDataset
from av_envs.soundspaces import export as command
from av_envs.soundspaces.writing.metadata import write_metadata
from av_envs.soundspaces.writing.responses import write_responses
from av_envs.worlds.base import BACKENDS, WorldSettings, open_world

TASK = {
    "houses": 1,
    "min_source_distance": 2.0,
    "steps": 6,
    "observations": ("rgb", "depth", "mixture", "target", "pose", "waveform"),
}


def exported(root, *arguments):
    """A tree with the small scene in it."""
    patch = pytest.MonkeyPatch()
    patch.setitem(BACKENDS, "small", BACKEND)
    command.main(
        ["--backend", "small", "--scenes", NAME, "--out", str(root), "--workers", "1",
         "--start", "near", "--min-source-distance", "2", "--episodes", "5", "--passive", "5",
         *arguments]
    )  # fmt: skip
    patch.undo()
    return root


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    parts = ("responses", "views", "episodes", "passive")
    return exported(tmp_path_factory.mktemp("mp3d"), "--parts", *parts)


@pytest.fixture
def dwelling(monkeypatch):
    """The small scene itself."""
    monkeypatch.setitem(BACKENDS, "small", BACKEND)
    return open_world(WorldSettings("small")).open(NAME)


def played(backend, seed, **options):
    """Everything that an episode of random actions gives away."""
    env = gym.make("AVDynamicSep-v0", backend=backend, **TASK | options).unwrapped
    seen = [env.reset(seed=seed)]
    rng = np.random.default_rng(seed)
    for _ in range(TASK["steps"]):
        observation, reward, _, _, info = env.step(int(rng.integers(4)))
        seen.append((observation, {**info, "reward": reward}))
    return seen


def test_the_reader_finds_every_response_bit_for_bit(tree, dwelling):
    scene = SoundSpacesDataset(tree).scene(NAME)
    coverage = scene.coverage(read=True)
    assert (coverage.possible, coverage.present, coverage.faults) == (256, 256, ())
    for source, receiver, heading in np.ndindex(8, 8, 4):
        found, rate = scene.rir(receiver, source, heading)
        assert rate == 16_000
        assert (found == dwelling.acoustics.rir(source, receiver, heading)).all()


def test_the_reader_finds_nodes_and_views(tree, dwelling):
    scene = SoundSpacesDataset(tree).scene(NAME)
    graph = dwelling.scene.graph
    assert np.abs(scene.graph.positions - graph.positions).max() < 1e-12
    assert np.abs(scene.points - graph.positions).max() < 1e-12
    for node, neighbours in enumerate(graph.neighbours.tolist()):
        assert scene.graph.adjacency[node] == tuple(k for k in neighbours if k >= 0)
    views = scene.observations()
    assert len(views) == 32
    for (node, heading), view in views.items():
        rgb, depth = dwelling.views.view(node, heading)
        assert (view.rgb == rgb).all()
        assert (view.depth == depth[:, :, 0]).all()


@pytest.mark.parametrize(
    ("task", "split"),
    [("aavidss", "train_5episodes"), ("aaviss", "train_nearTarget_1scenes_5episodes")],
)
def test_the_reader_finds_episodes(tree, dwelling, task, split):
    walks = dwelling.scene.graph.walking_distances
    episodes = list(SoundSpacesDataset(tree).episodes(task, split))
    assert len(episodes) == 5
    for episode in episodes:
        assert episode.start.heading == episode.start.legacy_heading
        for source in episode.sources:
            start = episode.start.place.node
            assert source.geodesic_distance == walks[start, source.place.node]
    assert len({episode.start.heading for episode in episodes}) > 1


def test_the_reader_finds_passive_examples(tree, dwelling):
    walks = dwelling.scene.graph.walking_distances
    examples = SoundSpacesDataset(tree).passive_examples("train", NAME)
    assert len(examples) == 5
    for example in examples:
        target, other = example.sources
        assert 2 <= walks[example.receiver, target] <= 5
        assert walks[target, other] >= 2


@pytest.mark.parametrize("convolution", ["causal", "legacy_same"])
def test_an_episode_is_the_same_to_the_last_bit(tree, dwelling, convolution):
    options = {"root": str(tree), "scenes": [NAME]}
    for seed in (0, 1):
        before = played("small", seed, convolution=convolution)
        after = played("soundspaces", seed, convolution=convolution, **options)
        for (ours, info), (theirs, other) in zip(before, after, strict=True):
            for key in ours:
                np.testing.assert_array_equal(theirs[key], ours[key], key)
            assert {k: float(v) for k, v in other.items()} == {k: float(v) for k, v in info.items()}


def test_a_response_at_another_rate_sounds_the_same(tmp_path, dwelling):
    """What it loses lies above 7 kHz."""
    export = small_export(tmp_path, "replica")
    write_metadata(export, export.open(NAME).scene)
    write_responses(export, NAME, np.array([0]))
    scene, acoustics = (
        SoundSpacesDataset(tmp_path, "replica").scene(NAME),
        export.open(NAME).acoustics,
    )
    for receiver, heading in ((0, 1), (7, 3)):
        found, _ = scene.rir(receiver, 0, heading)
        ours = acoustics.rir(0, receiver, heading)
        assert np.square(found - ours).sum() < 0.02 * np.square(ours).sum()
        low = np.abs(np.fft.rfft(found) - np.fft.rfft(ours))[:, :7000]
        assert low.max() < 0.01 * np.abs(np.fft.rfft(ours)).max()


@pytest.mark.slow
def test_an_episode_of_replica_sounds_the_same(tmp_path, dwelling):
    root = exported(tmp_path, "--dataset", "replica", "--parts", "responses", "views")
    task = {"grid": 0.5, "start": "target", "min_source_distance": 0.5}
    before = played("small", 0, **task)
    task |= {"root": str(root), "dataset": "replica", "scenes": [NAME]}
    after = played("soundspaces", 0, **task)
    for (ours, _), (theirs, _) in zip(before, after, strict=True):
        for key in ("rgb", "depth", "target", "pose"):
            np.testing.assert_array_equal(theirs[key], ours[key], key)
        error = theirs["waveform"] - ours["waveform"]
        assert np.square(error).sum() < 1e-3 * np.square(ours["waveform"]).sum()
