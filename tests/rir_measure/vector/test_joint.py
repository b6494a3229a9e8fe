"""Many teams at once are so many single environments, bit for bit, in every way to play them."""

import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from small_teams import SMALL, Guesser, arrays_of, digest, guess_here

import av_envs
from av_envs.registration import MEASURING
from av_envs.rir_measure.vector.joint import MeasureVectorEnv

IDS = [env_id for env_id, (entry, _) in av_envs.VARIANTS.items() if entry == MEASURING]
MODES = [mode.value for mode in AutoresetMode]
every_id = pytest.mark.parametrize("env_id", IDS)
every_mode = pytest.mark.parametrize("mode", MODES)
# "any": teams end at different times
ENDING = {**SMALL, "steps": 5, "houses": 2, "stop_mode": "any"}


def native(count: int, mode: str = "NextStep", env_id: str = IDS[0], **options) -> MeasureVectorEnv:
    """With more threads than this machine may have cores."""
    options = {**av_envs.VARIANTS[env_id][1], **ENDING, **options}
    return MeasureVectorEnv(count, autoreset_mode=mode, workers=3, **options)


def one_by_one(count: int, mode: str = "NextStep", env_id: str = IDS[0], **options):
    """What Gymnasium makes of single environments; each has an object among the options alone."""

    def make() -> gym.Env:
        return gym.make(env_id, **{**ENDING, **deepcopy(options)})

    return SyncVectorEnv([make] * count, autoreset_mode=mode)


def actions_of(envs, rng: np.random.Generator):
    """A stop now and then; predictions are quiet noise."""
    if not isinstance(envs.action_space, gym.spaces.Dict):
        return rng.choice(4, envs.action_space.shape, p=[0.1, 0.5, 0.2, 0.2])
    moves, rirs = (envs.action_space[key].shape for key in ("move", "rir"))
    return {
        "move": rng.choice(4, moves, p=[0.1, 0.5, 0.2, 0.2]),
        "rir": 0.01 * rng.standard_normal(rirs, np.float32),
    }


def drive(envs, seed=7, n_steps: int = 12) -> list[tuple]:
    """What everything returns, over the ends of episodes."""
    over, rng = np.zeros(envs.num_envs, bool), np.random.default_rng(3)
    returned = [envs.reset(seed=seed)]
    for _ in range(n_steps):
        submit(envs, over)
        returned.append(envs.step(actions_of(envs, rng)))
        over = returned[-1][2] | returned[-1][3]
        if envs.autoreset_mode is AutoresetMode.DISABLED and over.any():
            returned.append(envs.reset(options={"reset_mask": over}))
            over = ~over & False
        elif envs.autoreset_mode is AutoresetMode.SAME_STEP:
            over = ~over & False
    return returned


def submit(envs, over: np.ndarray) -> None:
    """Hand in a guess for every second step, where guesses are submitted."""
    teams = [env.unwrapped for env in envs.envs]
    if teams[0].config.prediction != "submit" or teams[0].team.t % 2:
        return
    if isinstance(envs, MeasureVectorEnv):
        envs.submit_predictions(np.stack([guess_here(team) for team in teams]))
        return
    for team, is_over in zip(teams, over, strict=True):
        if not is_over:
            team.submit_prediction(guess_here(team))


def assert_same(ours: list[tuple], theirs: list[tuple]) -> None:
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert [digest(part) for part in mine] == [digest(part) for part in other]


@pytest.mark.parametrize(
    ("env_id", "mode"), [*((IDS[0], mode) for mode in MODES), (IDS[1], "NextStep")]
)
@pytest.mark.parametrize(
    ("count", "options"),
    [
        (3, {"prediction": "env", "predictor": "nearest_measured"}),
        (1, {"prediction": "env", "robots": 3, "queries": 2, "room_errors": True}),
        (3, {"prediction": "submit"}),
        (3, {"prediction": "action", "expose_rir": True}),
        (
            3,
            {
                "prediction": "none",
                "robots": 3,
                "rho": 0.5,
                "fixed_sources": 1,
                "starts_facing": "open",
            },
        ),
    ],
    ids=lambda value: value.get("prediction") if isinstance(value, dict) else str(value),
)
def test_all_that_is_returned_is_that_of_single_environments(env_id, mode, count, options):
    assert_same(
        drive(native(count, mode, env_id, **options)),
        drive(one_by_one(count, mode, env_id, **options)),
    )


@every_mode
def test_so_are_all_observations(mode):
    keys = [*SMALL["observations"], "rgb", "depth", "heard_rir", "partner_pose", "semantic"]
    options = {"observations": keys, "position_frame": "start", "stop_mode": "latch"}
    seeds = [4, None, 2]
    ours, theirs = native(3, mode, **options), one_by_one(3, mode, **options)
    assert ours.observation_space == theirs.observation_space
    for envs in (ours, theirs):
        envs.reset(seed=1)  # what a seed of None continues
    assert_same(drive(ours, seeds, n_steps=7), drive(theirs, seeds, n_steps=7))
    for observations, *_ in drive(ours, n_steps=7):
        assert ours.observation_space.contains(observations)


def test_an_environment_among_others_is_the_single_one():
    envs, alone = native(3, stop_mode="mask"), gym.make(IDS[0], **{**ENDING, "stop_mode": "mask"})
    together = drive(envs, seed=20, n_steps=ENDING["steps"])
    for i in range(3):
        rng = np.random.default_rng(3)
        returned = [alone.reset(seed=20 + i)]
        returned += [alone.step(actions_of(envs, rng)[i]) for _ in range(ENDING["steps"])]
        for (observations, *rest, infos), (observation, *single, info) in zip(
            together, returned, strict=True
        ):
            assert digest({k: v[i] for k, v in observations.items()}) == digest(observation)
            assert [values[i] for values in rest] == single
            assert digest({k: infos[k][i] for k in info}) == digest(info)


@every_mode
def test_a_time_limit_truncates_as_that_of_gymnasium(mode):
    ours = MeasureVectorEnv(2, 3, mode, **ENDING)
    maker = lambda: gym.make(IDS[0], max_episode_steps=3, **ENDING)  # noqa: E731
    theirs = SyncVectorEnv([maker] * 2, autoreset_mode=mode)
    assert_same(drive(ours), drive(theirs))


@pytest.mark.parametrize("workers", [1, 2, None])
def test_threads_change_nothing(workers):
    other = MeasureVectorEnv(3, workers=workers, **ENDING)
    assert_same(drive(native(3)), drive(other))


@every_mode
def test_nothing_that_was_returned_is_written_to_again(mode):
    envs = native(2, mode, prediction="none", expose_rir=True)
    returned = drive(envs)
    before = digest(returned)
    for earlier, later in pairwise(returned):
        for old in arrays_of(earlier):
            assert not any(np.may_share_memory(old, new) for new in arrays_of(later))
    drive(envs, seed=8)
    assert digest(returned) == before


@every_mode
def test_what_was_returned_may_be_overwritten(mode):
    def played(spoil: bool) -> list[str]:
        envs, rng = native(2, mode), np.random.default_rng(0)
        found, returned = [], envs.reset(seed=0)
        for _ in range(8):
            found.append(digest(returned))
            over = returned[2] | returned[3] if len(returned) > 2 else np.zeros(2, bool)
            for array in arrays_of(returned) if spoil else []:
                array[...] = 1
            if mode == "Disabled" and over.any():
                returned = envs.reset(options={"reset_mask": over.copy()})
            else:
                returned = envs.step(actions_of(envs, rng))
        return found

    # "over" is read before it is spoilt
    assert played(spoil=True) == played(spoil=False)


def test_a_predictor_that_is_an_object_is_everybodys_own():
    class Counts(Guesser):
        asked = 0

        def predict(self, pairs, history):
            self.asked += 1
            return super().predict(pairs, history)

    predictor = Counts()
    envs = native(2, predictor=predictor)
    drive(envs)
    own = [env.team.predictor for env in envs.envs]
    assert own[0] is not own[1]
    assert predictor.asked == 0
    assert min(one.asked for one in own) > 0


def test_single_environments_can_be_reached():
    envs = native(2, render_mode="rgb_array")
    envs.reset(seed=5)
    assert [frame.ndim for frame in envs.render()] == [3, 3]
    assert envs.get_attr("config") == tuple(env.config for env in envs.envs)
    nodes = envs.call("privileged", "nodes")
    assert [len(row) for row in nodes] == [2, 2]
    masks = envs.action_masks()
    np.testing.assert_array_equal(masks.reshape(2, 2, 4), envs.reset(seed=5)[0]["action_mask"])
    envs.set_attr("favourite", [1, 2])
    assert envs.get_attr("favourite") == (1, 2)
    with pytest.raises(ValueError, match="as many values, got 3"):
        envs.set_attr("favourite", [1, 2, 3])
    assert envs.np_random_seed == (5, 6)
    assert envs.np_random[0] is envs.envs[0].team.np_random
    envs.close()
    envs.close()


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"num_envs": 0}, ValueError, "num_envs must be a whole number from 1 on, got 0"),
        ({"num_envs": True}, ValueError, "num_envs"),
        ({"workers": 0}, ValueError, "workers"),
        ({"autoreset_mode": "Sometimes"}, ValueError, "'Sometimes' is not a valid AutoresetMode"),
        ({"step": 3}, TypeError, "unknown option 'step'"),
        ({"render_mode": "human"}, ValueError, "rgb_array"),
    ],
)
def test_a_bad_option_is_named(options, error, named):
    with pytest.raises(error, match=named):
        MeasureVectorEnv(**{**SMALL, **options})


@pytest.mark.parametrize(
    ("seed", "options", "error", "named"),
    [
        ([1, 2], None, ValueError, "3 environments need as many seeds, got 2"),
        (None, {"reset_mask": [True] * 3}, TypeError, "reset_mask must be a numpy array of bool"),
        (None, {"reset_mask": np.ones(3)}, TypeError, "reset_mask must be a numpy array of bool"),
        (None, {"reset_mask": np.ones(2, bool)}, ValueError, r"shape \(3,\), got \(2,\)"),
        (None, {"reset_mask": np.zeros(3, bool)}, ValueError, "at least one"),
        (None, {"hous": 0}, ValueError, "unknown reset options"),
        (None, {"house": 7}, ValueError, "house must be in 0..1, got 7"),
    ],
)
def test_a_bad_reset_is_named(seed, options, error, named):
    envs = native(3)
    envs.reset(seed=0)
    with pytest.raises(error, match=named):
        envs.reset(seed=seed, options=options)


def test_options_stay_those_of_the_caller():
    options = {"reset_mask": np.array([True, False]), "house": 1}
    envs = native(2)
    envs.reset(seed=0, options={"house": 0})
    envs.reset(options=options)
    assert set(options) == {"reset_mask", "house"}
    assert [env.team.house for env in envs.envs] == [1, 0]


@pytest.mark.parametrize(
    ("prediction", "actions", "named"),
    [
        ("env", np.ones((2, 2), int), r"'move' must have shape \(3, 2\), got \(2, 2\)"),
        ("env", np.ones(3, int), r"'move' must have shape \(3, 2\), got \(3,\)"),
        ("env", np.ones((3, 2)), "whole number"),
        ("env", np.full((3, 2), 4), "got 4"),
        ("action", np.ones((3, 2), int), "dict of 'move' and 'rir'"),
        ("action", {"move": np.ones((3, 2), int)}, "dict of 'move' and 'rir'"),
        ("action", {"move": np.ones((3, 2), int), "rir": np.zeros(3)}, "'rir' must have shape"),
    ],
)
def test_a_bad_action_is_named(prediction, actions, named):
    envs = native(3, prediction=prediction)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=named):
        envs.step(actions)


def test_predictions_are_those_of_all_teams():
    envs = native(3, prediction="submit")
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="those of 3 teams, got 2"):
        envs.submit_predictions(np.zeros((2, 2, 2, 16_000), np.float32))


def test_calls_out_of_order():
    envs = native(2, "Disabled", steps=1)
    with pytest.raises(ResetNeeded, match="call reset"):
        envs.step(np.ones((2, 2), int))
    with pytest.raises(ResetNeeded, match="all environments"):
        envs.reset(options={"reset_mask": np.array([True, False])})
    envs.reset(seed=0)
    envs.step(np.ones((2, 2), int))
    envs.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(ResetNeeded, match=r"episodes \[1\] are over"):
        envs.step(np.ones((2, 2), int))


@every_id
def test_gymnasium_makes_it(env_id):
    spec = deepcopy(gym.spec(env_id))
    spec.vector_entry_point = "av_envs.rir_measure.vector.joint:MeasureVectorEnv"
    options = {**ENDING, "observations": ["position"], "autoreset_mode": "SameStep"}
    envs = gym.make_vec(spec, num_envs=2, **options)
    assert isinstance(envs, MeasureVectorEnv)
    assert envs.metadata["autoreset_mode"] is envs.autoreset_mode is AutoresetMode.SAME_STEP
    expected = digest(envs.reset(seed=1))
    for again in (
        EnvSpec.from_json(envs.spec.to_json()),
        pickle.loads(pickle.dumps(envs.spec)),
    ):
        assert digest(gym.make_vec(again).reset(seed=1)) == expected
    assert MeasureVectorEnv.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP


def test_wrappers_of_gymnasium_work():
    envs = gym.wrappers.vector.RecordEpisodeStatistics(native(2, stop_mode="mask"))
    returned = drive_wrapped(envs)
    totals = np.sum([rewards for _, rewards, *_ in returned], axis=0)
    np.testing.assert_allclose(returned[-1][-1]["episode"]["r"], totals)
    assert returned[-1][-1]["episode"]["l"].tolist() == [ENDING["steps"]] * 2


def drive_wrapped(envs) -> list[tuple]:
    envs.reset(seed=0)
    return [envs.step(np.ones((2, 2), int)) for _ in range(ENDING["steps"])]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own():
    expected = digest(drive(native(2)))
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=lambda: answers.put(digest(drive(native(2)))))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert answers.get() == expected


def fingerprint(options: dict) -> str:
    return digest(drive(native(3, **options), n_steps=3))


def test_threads_may_trace_rooms_that_nobody_has_heard(tmp_path):
    """The tracer has threads as well; neither waits for the other."""
    program = (
        "import json, sys\n"
        "from test_joint import fingerprint\n"
        "print(fingerprint(json.loads(sys.argv[1])))\n"
    )
    here = Path(__file__).parent
    paths = [here, here.parent, here.parent.parent.parent]
    environment = {
        **os.environ,
        "AV_ENVS_CACHE": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }
    options = {"houses": 1, "robots": 1, "fixed_receivers": 1}
    command = [sys.executable, "-c", program, json.dumps(options)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == fingerprint(options)
