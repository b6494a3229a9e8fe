"""Suites with other options, to look at and to listen to."""

import json

import pytest

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.episodes import make_env
from av_envs.benchmarks.play.varied import varied
from av_envs.benchmarks.suites.suite import SUITES

SUITE = SUITES["sep-noise-v2"]  # whose groups have options of their own


def test_nothing_changed_is_the_suite_itself():
    assert varied(SUITE, "{}") is SUITE


def test_options_count_more_than_those_of_suite_and_group():
    given = {"sounds": "embedded-2", "noise_snr_db": 7.0, "split": "val", "houses": 3}
    changed = varied(SUITE, json.dumps(given))
    assert changed.name == "sep-noise-v2-varied"
    assert [group.seeds for group in changed.groups] == [group.seeds for group in SUITE.groups]
    for group in changed.groups:
        env = make_env(changed, group)
        config = env.unwrapped.config
        assert {key: getattr(config, key) for key in given} == given
        assert config.num_sources == 2
        env.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sounds=embedded-2", "--env-kwargs is not JSON"),
        ("[1]", r"--env-kwargs must be a JSON object, got \[1\]"),
        ('{"sound": "embedded-2"}', "unknown option 'sound'; options are split"),
        ('{"split": "tests"}', "split 'tests' does not exist; choose from train"),
    ],
)
def test_what_cannot_be_is_named(text, said):
    with pytest.raises(UserError, match=said):
        varied(SUITE, text)
