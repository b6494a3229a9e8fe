"""What the predictor does with the set that was measured, with random weights."""

import gymnasium as gym
import numpy as np
import pytest

import av_envs  # noqa: F401  # registers environments
from av_envs.agents.rir_measure import SetPredictor
from av_envs.agents.rir_measure.set_predictor.predictor import load_set_network
from av_envs.agents.separation.checkpoints import Header, save_network
from av_envs.rir_measure.pairs import Pairs
from av_envs.rir_measure.predictors import PredictionContext
from av_envs.rir_measure.predictors.envelope import decompose
from av_envs.rir_measure.predictors.seen_space import NEEDED
from tests.agents.rir_measure.set_predictor.made_network import random_checkpoint, random_network

CONTEXT = PredictionContext(("robot_0", "robot_1"), 0.5, 250, truth=None)
N = 12


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return random_checkpoint(tmp_path_factory.mktemp("weights"))


def drawn(n: int = N, seed: int = 0) -> tuple[Pairs, np.ndarray]:
    """Pairs in a room of 6 m by 6 m, and decaying noise."""
    rng = np.random.default_rng(seed)
    ends = [np.column_stack([rng.uniform(0, 6, (n, 2)), np.full(n, 1.5)]) for _ in range(2)]
    pairs = Pairs(*(end.astype(np.float32) for end in ends), rng.integers(4, size=n))
    decay = np.exp(-np.arange(16000) / rng.uniform(1000, 4000, (n, 1, 1)))
    noise = rng.standard_normal((n, 2, 16000)) * decay * rng.uniform(0.001, 0.1, (n, 1, 1))
    return pairs, noise.astype(np.float32)


def part(pairs: Pairs, rows) -> Pairs:
    return Pairs(*(array[rows] for array in pairs))


def predictor_of(checkpoint, pairs=None, rirs=None) -> SetPredictor:
    predictor = SetPredictor(checkpoint)
    predictor.reset(CONTEXT)
    if pairs is not None:
        predictor.observe(pairs, rirs)
    return predictor


def test_the_order_of_the_set_is_nothing(checkpoint):
    pairs, rirs = drawn()
    asked, _ = drawn(5, seed=1)
    order = np.random.default_rng(2).permutation(N)
    one = predictor_of(checkpoint, pairs, rirs).compact(asked)
    one_by_one = predictor_of(checkpoint)
    for row in order:
        one_by_one.observe(part(pairs, [row]), rirs[[row]])
    other = one_by_one.compact(asked)
    assert other.envelope == pytest.approx(one.envelope, abs=1e-3)
    assert other.direct == pytest.approx(one.direct, abs=1e-4)
    fewer = predictor_of(checkpoint, part(pairs, slice(6)), rirs[:6]).compact(asked)
    assert np.abs(fewer.envelope - one.envelope).max() > 0.1


@pytest.mark.parametrize("reciprocal", [False, True], ids=["same way", "other way"])
def test_it_repeats_a_measured_pair_in_the_limit(reciprocal, checkpoint):
    """A millimetre off, within 0.02 nepers of energy (0.1 dB) and 0.001 of the direct sound."""
    pairs, rirs = drawn()
    predictor = predictor_of(checkpoint, pairs, rirs)
    here = part(pairs, [3])
    near = here._replace(emitter=here.emitter + np.float32([0.001, 0, 0]))
    if reciprocal:
        near = near._replace(emitter=near.receiver, receiver=near.emitter)
    measured, found = decompose(here, rirs[[3]]), predictor.compact(near)
    assert found.direct == pytest.approx(measured.direct, abs=1e-3)
    gap = found.envelope.mean(axis=1) - measured.envelope.mean(axis=1)
    assert np.abs(gap).max() < 0.02
    off = here._replace(emitter=here.emitter + np.float32([1, 0, 0]))
    far = predictor.compact(off).envelope.mean(axis=1) - measured.envelope.mean(axis=1)
    assert np.abs(far).max() > 0.1


def test_the_very_same_pair_is_recalled(checkpoint):
    pairs, rirs = drawn()
    predictor = predictor_of(checkpoint, pairs, rirs)
    assert np.array_equal(predictor.predict(pairs, []), rirs)
    predictor.observe(pairs, rirs)  # counts once
    once = predictor_of(checkpoint, pairs, rirs)
    asked, _ = drawn(3, seed=1)
    assert np.array_equal(predictor.predict(asked, []), once.predict(asked, []))


def test_before_anything_was_measured_it_predicts_from_geometry(checkpoint):
    predictor = predictor_of(checkpoint)
    asked, _ = drawn(4, seed=1)
    found = predictor.predict(asked, [])
    assert found.shape == (4, 2, 16000)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert (np.abs(found).max(axis=(1, 2)) > 0).all()


def test_reset_forgets(checkpoint):
    pairs, rirs = drawn()
    asked, _ = drawn(3, seed=1)
    predictor, fresh = predictor_of(checkpoint, pairs, rirs), predictor_of(checkpoint)
    predictor.reset(CONTEXT)
    assert np.array_equal(predictor.predict(asked, []), fresh.predict(asked, []))


def test_it_predicts_in_the_environment(checkpoint):
    options = {"houses": 1, "steps": 3, "queries": 2, "observations": NEEDED}
    env = gym.make("AVRIRMeasure-v0", predictor=SetPredictor(checkpoint), **options)
    errors = []
    for _ in range(2):  # the same calls give the same predictions
        env.reset(seed=0)
        for _ in range(3):
            info = env.step(np.array([2, 3]))[-1]
        errors.append(info["pe_query"])
    assert 0 < errors[0] < 10
    assert errors[0] == errors[1]


def test_without_images_it_says_what_it_needs(checkpoint):
    env = gym.make(
        "AVRIRMeasure-v0",
        predictor=SetPredictor(checkpoint),
        houses=1,
        observations=("position", "azimuth"),
    )
    with pytest.raises(ValueError, match="needs the observations depth"):
        env.reset(seed=0)
    env.unwrapped.use_predictor(SetPredictor(checkpoint, looks=False))
    env.reset(seed=0)


def test_files_that_hold_no_network_are_named(tmp_path, checkpoint):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        SetPredictor(tmp_path / "nowhere.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(checkpoint.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"broken\.safetensors: cannot be read as weights"):
        SetPredictor(broken)
    other = tmp_path / "other.safetensors"
    network = random_network()
    save_network(network, other, Header("separator", {}, (), {}))
    with pytest.raises(ValueError, match="holds 'separator', 'set_predictor' is wanted"):
        SetPredictor(other)
    save_network(network, other, Header("set_predictor", {"layers": 3}, (), {}))
    with pytest.raises(ValueError, match=r"other\.safetensors: its network cannot be built"):
        SetPredictor(other)
    save_network(network, other, Header("set_predictor", {"trunk": 17}, (), {}))
    with pytest.raises(ValueError, match=r"other\.safetensors: does not fit its network"):
        SetPredictor(other)


def test_a_file_gives_back_the_network(checkpoint):
    network, header = load_set_network(checkpoint)
    assert header.made == {"command": "made"}
    wanted = random_network().state_dict()
    for name, value in network.state_dict().items():
        assert value.numpy() == pytest.approx(wanted[name].numpy(), rel=1e-3, abs=1e-4)
