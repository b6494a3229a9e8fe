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
    "rir-mp3d-like-v2": "4f6b741797b203d7605534ad9d2d2673ef2c9663b5af408916e2fb343ff86146",
    "rir-replica-like-v2": "3b6997e7e1d7118c63ff609b287fffa67c7da1358407cd193369cb5a372122f3",
    "sep-3src-v2": "d7478aa469e1050cb538e8be4748dbf4637120b025e8d20fd6fc051b64c0bb86",
    "sep-between-heard-v1": "5cf30eff6d770e45513c7e0b37aefff41a744ba5cb1e40fdd7f84e394447944c",
    "sep-between-unheard-v1": "cf1b240e7c34abd55ab10d5516df563811a57e372ae07bd6846161686e9f5a40",
    "sep-between3-unheard-v1": "022b876f97ed8f5944576b9f45c6bac39202c17cf5763db21c3b0656a7555bbf",
    "sep-demo-v2": "ffce51f90bf0b3bb05258832de602a2ee22818565a7114347461ac6459cb7c31",
    "sep-distance-v2": "24f86145063b9305032a9d562d70ba10eb86984adef8006a108e4a9c78061785",
    "sep-far-v2": "107827caad356d25b7bc6705bfa1f091b4c14964942d605c4fbec266a483f4cd",
    "sep-near-heard-v2": "93d7ba177437c25bc7a67e96599804bf3a5d1b7456b146b9f93bc6c0d335fae6",
    "sep-near-unheard-v2": "abc07d280aea7c0e63a47924c993e086975680a46da251762593fda69b175e7c",
    "sep-noise-v2": "6bb06bf18b582db5e7a8b5900581947188b2abdcb3dc7bd38e8b9898ebd6eed1",
    "sep-static-v2": "5381dce36f0775bbc728b7b3137f2f26ab31205969a580f6ef31a6a1a4a75532",
    "sep-target-unheard-v2": "98a701988cb494cb5a97c077d1d6b13ed6188bc2e605735849fb849687a4d514",
}


@pytest.mark.parametrize("name", HASHES)
def test_a_published_suite_is_what_it_was(name):
    assert SUITES[name].hash == HASHES[name]


def test_the_record_of_a_separation_episode_is_what_it_was():
    job = Job(FAKE_SUITE, AgentSpec("av_envs.baselines.separation:Random"), seed=0, n_episodes=2)
    records = canonical([one.record for one in play(job)])
    digest = hashlib.sha256(records.encode()).hexdigest()
    assert digest == "4b6f86477a13349cbced2b864d90c3e3c2dd5a48dff73b12feb875727bd52b98", records
