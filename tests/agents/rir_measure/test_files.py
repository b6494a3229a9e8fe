"""Files of teams and generators, and the entries that play them."""

import json
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import av_envs.agents.rir_measure as entries
from av_envs.agents.rir_measure import play
from av_envs.agents.rir_measure.maps import Maps
from av_envs.agents.rir_measure.networks.policy import PolicyConfig
from av_envs.agents.rir_measure.presets import PRESETS
from av_envs.agents.rir_measure.senses import features_of
from av_envs.agents.rir_measure.team import (
    VERSION,
    load_generator,
    load_team,
    save_generator,
    save_team,
)
from av_envs.benchmarks.play.action_check import action_fault
from tests.agents.rir_measure.small_teams import (
    GENERATOR,
    ONE_FLAT,
    SENSES,
    small_team,
    spaces_of,
)

ENTRIES = {
    name.lower(): getattr(entries, name)
    for name in entries.__all__
    if name not in ("PlaceChooser", "SetPredictor")
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teams")
    for preset in ENTRIES:
        save_team(small_team(preset), folder / f"{preset}.safetensors", {"val": {}})
    return folder


@pytest.fixture(scope="module")
def room():
    return spaces_of(observations=("rgb", "depth", "azimuth", "position", "action_mask"))


def rewritten(path, folder, **changed):
    """The file with other fields in its header."""
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["header"])
    made = folder / "other.safetensors"
    save_file(load_file(path), made, {"header": json.dumps({**header, **changed})})
    return made


def refusal(load, *given, **options) -> str:
    with pytest.raises(ValueError, match=r"\.safetensors: ") as refused:
        load(*given, **options)
    said = str(refused.value)
    assert "\n" not in said
    return said


def test_what_is_kept_comes_back(files):
    networks, header = load_team(files / "macmara.safetensors", "macmara")
    made = small_team("macmara")
    assert networks.config == made.config
    assert header.version == VERSION
    for name, value in made.state_dict().items():
        assert torch.equal(networks.state_dict()[name], value.half().float())


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"agent": "curiosity"}, "holds 'curiosity', 'macma' is wanted"),
        ({"version": VERSION + 1}, f"version {VERSION + 1}, here they have {VERSION}"),
        ({"config": {}}, "its networks cannot be built"),
        ({"made": 3}, "config and made must be JSON objects"),
        ({"more": 3}, "cannot be read as weights"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_wrong_header_is_refused(files, tmp_path, changed, says):
    path = rewritten(files / "macma.safetensors", tmp_path, **changed)
    assert says in refusal(load_team, path, "macma")


def test_weights_of_another_size_are_refused(files, tmp_path):
    other = small_team("macma", policy=replace(small_team().config.policy, state_size=9))
    config = json.loads(json.dumps(other.config, default=lambda part: part.__dict__))
    path = rewritten(files / "macma.safetensors", tmp_path, config=config)
    assert "does not fit its networks" in refusal(load_team, path, "macma")


def test_a_generator_comes_back_and_another_one_is_refused(tmp_path):
    path, generator = tmp_path / "g.safetensors", small_team().generator
    save_generator(generator, SENSES, path, {})
    found = load_generator(path, SENSES, GENERATOR)
    for name, value in generator.state_dict().items():
        assert torch.equal(found.state_dict()[name], value.half().float())
    larger = replace(GENERATOR, channels=(8, 8))
    said = refusal(load_generator, path, SENSES, larger)
    assert "of another size or kind: generator channels [8, 4] (wanted [8, 8])" in said
    said = refusal(load_generator, path, replace(SENSES, vision="blind"), GENERATOR)
    assert "senses vision 'rgbd' (wanted 'blind')" in said
    assert "holds 'rir generator'" in refusal(load_team, path, "macma")


@pytest.mark.parametrize("preset", ENTRIES)
def test_entries_play(preset, files, room):
    assert ENTRIES[preset].preset == preset
    assert preset in PRESETS
    made = [
        ENTRIES[preset](*room, seed=seed, checkpoint=str(files / f"{preset}.safetensors"))
        for seed in (1, 1, 2)
    ]
    observation = room[0].sample()
    observation["action_mask"][:] = [0, 1, 1, 1]
    moves = np.array([[agent.act(observation) for _ in range(20)] for agent in made])
    assert all(action_fault(room[1], one) is None for one in moves[0])
    assert np.array_equal(moves[0], moves[1])
    assert not np.array_equal(moves[0], moves[2])
    assert set(moves.flatten()) == {1, 2, 3}
    made[0].reset(seed=1)
    assert np.array_equal([made[0].act(observation) for _ in range(20)], moves[0])


def test_a_team_with_a_map_sees_where_it_has_been(tmp_path):
    path = tmp_path / "mapped.safetensors"
    networks = small_team(policy=PolicyConfig(state_size=8, map=True))
    save_team(networks, path, {})
    env = gym.make("AVRIRMeasure-v0", **ONE_FLAT)
    room = (env.observation_space, env.action_space)
    agent = entries.Macma(*room, seed=0, checkpoint=str(path), likeliest=True)
    for _ in range(2):  # the second episode begins with a map of nothing, too
        observation, _ = env.reset(seed=3)
        agent.reset()
        seen = {key: observation[key][None] for key in observation}
        features = Maps(networks.config.policy, 1).add(
            features_of(seen, SENSES), torch.ones(1, dtype=torch.bool)
        )
        assert features["footprints"].any()
        one = {key: value[None] for key, value in features.items()}
        starts = torch.ones(1, 1, dtype=torch.bool)
        wanted = networks.policy(one, networks.policy.initial_state(1), starts).logits[0, 0]
        assert np.array_equal(agent.act(observation), wanted.argmax(-1))
        agent.act(env.step(np.array([1, 1]))[0])


def test_a_map_needs_one_frame_for_all_robots(tmp_path):
    path = tmp_path / "mapped.safetensors"
    save_team(small_team(policy=PolicyConfig(state_size=8, map=True)), path, {})
    env = gym.make("AVRIRMeasure-v0", position_frame="start", **ONE_FLAT)
    agent = entries.Macma(env.observation_space, env.action_space, seed=0, checkpoint=str(path))
    with pytest.raises(ValueError, match="a map needs position_frame='scene'"):
        agent.act(env.reset(seed=0)[0])


def test_the_likeliest_moves_are_not_drawn(files, room):
    path = str(files / "macma.safetensors")
    made = [entries.Macma(*room, seed=s, checkpoint=path, likeliest=True) for s in (1, 2)]
    observation = room[0].sample()
    assert np.array_equal(*[agent.act(observation) for agent in made])


def test_predictors(files, room):
    path = str(files / "macma.safetensors")
    own = entries.Macma(*room, seed=0, checkpoint=path)
    assert own.card == {"name": "Macma"}
    assert own.predictor.generator is own.networks.generator
    other = entries.Macma(*room, seed=0, checkpoint=path, predictor="zero")
    assert (other.predictor, other.card["name"]) == ("zero", "Macma + zero predictor")


def test_what_cannot_be_played_is_named(files, room, tmp_path, monkeypatch):
    monkeypatch.setattr(play, "WEIGHTS", tmp_path)
    for where in ("flats", "houses"):
        command = rf"rir_measure\.train --preset macma --env {where} --out DIR"
        with pytest.raises(ValueError, match=rf"no weights of Macma for {where} .*{command}"):
            entries.Macma(*room, seed=0, trained_in=where)
    with pytest.raises(ValueError, match=r"trained_in .*'caves'"):
        entries.Macma(*room, seed=0, trained_in="caves")
    with pytest.raises(ValueError, match="not for the one of a checkpoint"):
        entries.Macma(*room, seed=0, trained_in="flats", checkpoint="some.safetensors")
    assert "holds 'macma', 'curiosity' is wanted" in refusal(
        entries.Curiosity, *room, seed=0, checkpoint=str(files / "macma.safetensors")
    )
    path = str(files / "macma.safetensors")
    said = refusal(entries.Macma, *spaces_of(robots=3), seed=0, checkpoint=path)
    assert "was trained with 2 robots" in said
    with pytest.raises(ValueError, match=r"needs the observations rgb, action_mask; .*'rgb'"):
        entries.Macma(
            *spaces_of(observations=("depth", "azimuth", "position")), seed=0, checkpoint=path
        )
