"""Checks that all configs share."""

import math

import numpy as np
import pytest

from av_envs.agents import train_sb3
from av_envs.benchmarks.options import speed
from av_envs.options import (
    check_choice,
    check_flag,
    check_number,
    check_share,
    check_whole,
    checked_count,
    checked_names,
)
from av_envs.rir_measure.predictors import measure_mean
from av_envs.sound.analysis import statistics

WRONG = [
    (check_choice, ("x", "c", ("a", "b")), "x 'c' does not exist; choose from a, b"),
    (checked_names, ("x", "ab", ("a", "b"), "names"), "x must be a list of names, got 'ab'"),
    (checked_names, ("x", ["a", "c"], ("a", "b"), "names"), "x 'c' does not exist"),
    (checked_names, ("x", ["a", "a"], ("a", "b"), "names"), "x must be distinct"),
    (check_whole, ("x", 3, 1, 2), r"x must be a whole number in 1\.\.2, got 3"),
    (check_whole, ("x", True, 0, 2), "got True"),
    (checked_count, ("x", 0), "x must be a whole number from 1 on, got 0"),
    (check_flag, ("x", 1), "x must be True or False, got 1"),
    (check_number, ("x", math.nan), "x must be a number, got nan"),
    (check_number, ("x", False), "x must be a number, got False"),
    (check_number, ("x", 10**400), "x must be a number, got 1000"),
    (check_share, ("x", 1.5), r"x must lie in 0\.\.1, got 1\.5"),
]


@pytest.mark.parametrize(("check", "given", "message"), WRONG)
def test_errors_name_the_option_the_value_and_what_is_valid(check, given, message):
    with pytest.raises(ValueError, match=message):
        check(*given)


def test_what_is_valid_passes():
    assert checked_names("x", ["b", "a"], ("a", "b"), "names") == ("b", "a")
    assert checked_count("x", np.int64(3)) == 3
    check_choice("x", "a", ("a", "b"))
    check_whole("x", 2, 1, 2)
    check_flag("x", False)
    check_number("x", -1.5)
    check_share("x", 1)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (train_sb3.main, "--steps"),
        (measure_mean.main, "--dwellings"),
        (statistics.main, "--voices"),
        (speed.main, "--houses"),
    ],
)
def test_commands_refuse_to_do_nothing_in_one_sentence(command, option, capsys):
    with pytest.raises(SystemExit):
        command([option, "0"])
    assert f"{option}: must be at least 1, got 0" in capsys.readouterr().err
