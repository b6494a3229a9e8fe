"""A path means the same to every option: text or object, "~", suffix in any case."""

import argparse
import json
from pathlib import Path

import pytest

from av_envs.paths import path_argument, path_text, plain_paths, suffix_of, user_path
from av_envs.rir_measure.config import MeasureConfig
from av_envs.separation.config import SeparationConfig


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def test_a_path_is_what_the_user_means(home):
    expected = home / "heads" / "A.SOFA"
    for given in ("~/heads/A.SOFA", Path("~/heads/A.SOFA"), str(expected), expected):
        assert user_path(given) == path_argument(given) == expected
        assert suffix_of(given) == ".sofa"


@pytest.mark.parametrize("value", [None, 3, "", b"head.sofa", "a\0b", ["a"]])
def test_what_is_no_path_is_named_with_its_option(value):
    for read in (user_path, path_text):
        with pytest.raises(ValueError, match="hrtf must be a path, got "):
            read(value, "hrtf")


def test_a_home_that_nobody_has_is_named():
    with pytest.raises(ValueError, match=r"sounds: nobody knows the home .* '~no-such-user-x/a'"):
        user_path("~no-such-user-x/a", "sounds")
    with pytest.raises(argparse.ArgumentTypeError, match="nobody knows the home"):
        path_argument("~no-such-user-x/a")


def test_a_path_object_is_never_a_built_in_name():
    assert path_text("kemar", "hrtf", ["kemar"]) == "kemar"
    assert Path(path_text(Path("kemar"), "hrtf", ["kemar"])) == Path("kemar")
    assert path_text(Path("kemar"), "hrtf", ["kemar"]) != "kemar"


def test_paths_become_texts_however_deep_they_lie():
    given = {"root": Path("a"), "more": [Path("b"), (Path("c"), 1)], "grid": 1.0}
    assert plain_paths(given) == {"root": "a", "more": ["b", ("c", 1)], "grid": 1.0}


@pytest.mark.parametrize("config_type", [SeparationConfig, MeasureConfig])
def test_options_keep_paths_as_texts(config_type):
    config = config_type.from_keywords(
        hrtf=Path("~/head.sofa"), backend="mesh", root=Path("rooms"), backend_options={"up": "z"}
    )
    assert config.hrtf == config.world.hrtf == "~/head.sofa"
    assert config.backend_options == {"up": "z", "root": "rooms"}
    assert json.loads(config.world.options)["root"] == "rooms"
    with pytest.raises(ValueError, match="hrtf must be a path, got 3"):
        config_type(hrtf=3)
