"""What published results rest on: the suites and the form of a record never change."""

import hashlib

import pytest
from fake_separation import FAKE_SUITE

from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job, play
from av_envs.benchmarks.results.files import canonical
from av_envs.benchmarks.suites.suite import SUITES

# A new suite gets a line here on the day it is published; a line that exists stays.
HASHES = {
    "rir-mp3d-like-v2": "4f6b741797b203d7605534ad9d2d2673ef2c9663b5af408916e2fb343ff86146",
    "rir-replica-like-v2": "3b6997e7e1d7118c63ff609b287fffa67c7da1358407cd193369cb5a372122f3",
    "sep-3src-v2": "fe8f62ac015c0a9f09ad602308ad93a99d7efaac0eb871e3273591de0032103b",
    "sep-between-heard-v1": "14c113bff271cdd06f1f996d73e7f381af6deb7e279179fb92862b6f032356a3",
    "sep-between-unheard-v1": "c3a4ed0e01b9f4e959ff674d6ec7f92edb490035aafa88b8d85d5bc990eaf117",
    "sep-between3-unheard-v1": "e4e15d4732efcd3d73bcc61f53f9efb9035266213d1b1f7dbffa6d90fc6de62e",
    "sep-demo-v2": "cb4a7c166df306309d01080693c6eb055a7a5ee1dee798a32d104a62847c108b",
    "sep-distance-v2": "179360fb3b9c9759df30e771a3765e1847a89a12b9401063aba08e84bc72e6ff",
    "sep-far-v2": "2634d4e044e18e25f0c6f6fe8460d094c63959ab756f0e20592fe823fcb53f2d",
    "sep-near-heard-v2": "feb649e2ef04c66565438a05e637241b167be1ee403fc3261843b4ae955b819b",
    "sep-near-unheard-v2": "f7f53376d1263fe5b7b5dcda0c2670efa5cb5404c73a8d05e0e4df05056b0b47",
    "sep-noise-v2": "8d9b8c5757d358a63949baee454d46be52475ad1d174ef9a1e04e36440a1df6c",
    "sep-static-v2": "587077bb4ccd3b59e29cb6f1e7908ebc008d8f57036ffc9efa6f308af3db31cb",
    "sep-target-unheard-v2": "adcd76a68fc561b36865c80ad16308c7a31d1ee025f7a514c755d8c57c5f4e8b",
    "separate-between-heard-v1": "637643ae68de7bdc716371c8096b2ab38a0c2d44032825ece105b6da28a93285",
    "separate-between-unheard-v1": (
        "af93f8b337785ef659f837b3f21273544bd99741b14c13c57a282cbb7fbce82d"
    ),
    "separate-between3-unheard-v1": (
        "e3ddff6b828cd512a492a19b2a2f45ed28a05ed77bbcd2f4bafd020dbb7022e0"
    ),
    "separate-far-v1": "825f2767923d04b6d5a6ee301e48ea5e83317f1315ea51a80f4d2df4455f6daa",
    "separate-near-unheard-v1": "311e5bf1084e18a956761e62307f09c93f693ce78ffb4fea6fb74c9c9fd849a9",
}


@pytest.mark.parametrize("name", HASHES)
def test_a_published_suite_is_what_it_was(name):
    assert SUITES[name].hash == HASHES[name]


def test_the_record_of_a_separation_episode_is_what_it_was():
    job = Job(FAKE_SUITE, AgentSpec("av_envs.baselines.separation:Random"), seed=0, n_episodes=2)
    records = canonical([one.record for one in play(job)])
    digest = hashlib.sha256(records.encode()).hexdigest()
    assert digest == "a073d197752f5df8a23abc3ae20a77affcbcb26fc171133609cfb6f12971f528", records
