"""Figures: what is drawn is what was computed, and each command writes one."""

import gymnasium as gym
import numpy as np
import pytest
from PIL import Image

from av_envs.agents.rir_measure.figures import activations, embedding, responses, senses, walks
from av_envs.agents.rir_measure.figures.page import COLOURS
from av_envs.agents.rir_measure.figures.playing import play, room
from av_envs.agents.rir_measure.importance import SENSES
from av_envs.agents.rir_measure.networks.policy import PolicyConfig
from av_envs.agents.rir_measure.team import save_team
from tests.agents.rir_measure.small_teams import ONE_FLAT, small_team

FEW = ["--split", "train", "--steps", "6"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("team") / "team.safetensors"
    save_team(small_team(), path, {})
    return str(path)


def is_drawn(path) -> bool:
    picture = np.asarray(Image.open(path).convert("RGB"))
    return len(np.unique(picture.reshape(-1, 3), axis=0)) > 3


def test_principal_components_keep_what_varies_most():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(50, 2)) * (5.0, 2.0)
    axes = np.linalg.qr(rng.normal(size=(6, 6)))[0][:2]
    found = embedding.principal(plane @ axes + 3.0)
    centred = plane - plane.mean(axis=0)
    np.testing.assert_allclose(found @ found.T, centred @ centred.T, atol=1e-8)
    assert found.std(axis=0)[0] > found.std(axis=0)[1]


def test_cells_and_places():
    states = np.zeros((4, 3), np.float32)
    states[:, 1] = [0, 4, 0, 4]
    states[:, 2] = [0, 1, 0, 1]
    assert activations.cells_of(states, 2).tolist() == [1, 2]
    found = activations.by_node(np.array([7, 7, 9, 9]), np.array([1.0, 2.0, 5.0, 5.0]))
    assert found == {7: 1.5, 9: 5.0}


def test_bars_are_as_high_as_their_shares():
    page = senses.drawn(np.tile([0.5, 0.25, 0.25], (10, 1, 1)), list(SENSES))
    counts = [(page == colour).all(-1)[:, 13].sum() for colour in COLOURS[:3]]
    assert counts[0] == pytest.approx(senses.HEIGHT / 2, abs=1)
    assert sum(counts) == senses.HEIGHT


def test_playing_keeps_what_happened():
    networks = small_team(policy=PolicyConfig(state_size=8, map=True))
    options = {key: value for key, value in ONE_FLAT.items() if key != "houses"}
    played = play(networks, room("flats", networks, houses=1, **options), 3)
    assert played.nodes.shape == played.moves.shape == (6, 2)
    assert played.states.shape == (6, 2, 8)
    turned = played.moves[:-1] != 1
    assert (played.nodes[1:][turned] == played.nodes[:-1][turned]).all()
    change = (played.headings[1:] - played.headings[:-1]) % 4
    assert (change[played.moves[:-1] == 2] == 1).all()


@pytest.mark.parametrize(
    "command", [activations, embedding, senses], ids=lambda each: each.__name__
)
def test_figures_of_a_team(command, checkpoint, tmp_path):
    words = ["--checkpoint", checkpoint, *FEW, "--out", str(tmp_path / "figure.png")]
    words += [] if command is activations else ["--houses", "1"]
    words += ["--episodes", "1", "--method", "pca"] if command is embedding else []
    assert command.main(words) == 0
    assert is_drawn(tmp_path / "figure.png")


def test_figures_of_walks(tmp_path):
    words = [*FEW, "--agents", "Random", "SpreadOut", "--out", str(tmp_path / "walks.png")]
    assert walks.main(words) == 0
    assert is_drawn(tmp_path / "walks.png")


def test_figures_of_responses(checkpoint, tmp_path):
    words = [*FEW, "--predictors", "mean", "interpolating", "--out", str(tmp_path / "rirs.png")]
    assert responses.main(words) == 0
    assert responses.main([*words, "--checkpoint", checkpoint]) == 0
    assert is_drawn(tmp_path / "rirs.png")


def test_what_cannot_be_drawn_is_said(checkpoint, tmp_path, capsys):
    out = ["--out", str(tmp_path / "no.png")]
    assert embedding.main(["--checkpoint", str(tmp_path / "nothing"), *out]) == 1
    assert "nothing" in capsys.readouterr().err
    assert walks.main(["--agents", "av_envs.baselines.rir_measure:CoverageOracle", *out]) == 1
    assert "knows the truth" in capsys.readouterr().err
    assert responses.main(["--predictors", "oracle", *out]) == 1
    assert "knows the truth" in capsys.readouterr().err
    assert not (tmp_path / "no.png").exists()


def test_held_out_pairs_are_asked_after_what_was_measured():
    class Counts:
        told = 0

        def reset(self, context):
            self.told = 0

        def predict(self, pairs, history):
            return np.zeros((len(pairs.heading), 2, 16_000), np.float32)

        def observe(self, pairs, rirs):
            self.told += 1

    counts = Counts()
    env = gym.make("AVRIRMeasure-v0", houses=1, steps=6, prediction="none")
    truth, predicted = responses.asked(env, 0, 5, 4, {"counts": counts}, of_robots=False)
    assert counts.told == 5
    assert predicted["counts"].shape == truth.rirs.shape == (4, 2, 16_000)
