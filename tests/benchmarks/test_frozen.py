"""What published results rest on: the suites and the form of a record never change."""

import hashlib

import pytest
from fake_separation import FAKE_SUITE

from av_envs.benchmarks.agents import AgentSpec
from av_envs.benchmarks.episodes import Job, play
from av_envs.benchmarks.results import canonical
from av_envs.benchmarks.suites import SUITES

# A new suite gets a line here on the day it is published; a line that exists stays.
HASHES = {
    "sep-near-heard-v1": "afcb8c2de2c2ffac7230ba8ffefa335351a8991fed315aee66624aca8f39a1e7",
    "sep-near-unheard-v1": "4b2925b01b63b64a5b1931e99efcddcd3386bc555f991984e941b8c1f268f90f",
    "sep-target-unheard-v1": "8502b7f79a44c0f00e7ea3d7e37d7b26b895e987e1aa3774f9f58541b417f4f1",
    "sep-3src-v1": "365288f60d8535333efbff55c4161877e080177609c16bd86573911177a06eb7",
    "sep-noise-v1": "76a75898efbb75201311c856d0b58f5cc7bb9c24aaac0d8359b472627d9e11f0",
    "sep-distance-v1": "71c6c5be0c7af40374b5ef1fb6ef83885bf0a28076fd062d3c9ec37872663794",
    "sep-static-v1": "1420092ccb9ccb56fb53e98f1302f124d3899be5b7b0b59b3075334cf657b5ba",
    "sep-far-v1": "4be4bc01d502ed9a9b1fd02bd2c50720d1986d580da493006a830f39d07ada50",
    "rir-replica-like-v1": "59d812ca8c63debffbc07d164cd8db15f63d27f9267cedba9555830646789bc7",
    "rir-mp3d-like-v1": "14e7081b5437da44ddec69a265d32b5ed7873a714faed404abcf93bdb4f34588",
    "sep-demo-v1": "9e06192e4cc584d85d5a555d397d5037f8a39e5de7107105e69c1fa123ac4642",
}


@pytest.mark.parametrize("name", HASHES)
def test_a_published_suite_is_what_it_was(name):
    assert SUITES[name].hash == HASHES[name]


def test_the_record_of_a_separation_episode_is_what_it_was():
    job = Job(FAKE_SUITE, AgentSpec("av_envs.baselines.separation:Random"), seed=0, n_episodes=2)
    records = canonical([one.record for one in play(job)])
    digest = hashlib.sha256(records.encode()).hexdigest()
    assert digest == "9be7540a8cf99f69291e0b62b3039222c15c9e1d13d911707f1074f6e1e5e335", records
