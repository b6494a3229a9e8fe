"""What agents make of cheap, refined and true acoustics."""

import numpy as np
import pytest

from av_envs.agents.localization.arrays import tables_of
from av_envs.agents.localization.rendering import heard_through, rendered
from av_envs.agents.localization.takes import TakeConfig, TakeSampler
from av_envs.agents.refinement import downstream
from av_envs.agents.refinement.downstream import RULES, Sound, localisation, separation, table

pytestmark = pytest.mark.usefixtures("one_torch_thread")
CHEAP, REFINED, TRUE = Sound("T1", None), Sound("T1", "few_rays"), Sound("T2", None)


def test_rules_walk_alike_whatever_they_hear():
    """Only what is heard differs between sounds, and that it does."""
    scores = separation(RULES[0], [CHEAP, REFINED, TRUE], 2, {"split": "val", "houses": 1})
    assert list(scores) == ["T1", "T1, few_rays", "T2"]
    values = np.stack(list(scores.values()))
    assert values.shape == (3, 2)
    assert np.isfinite(values).all()
    assert len(np.unique(values)) == 6


def test_one_is_told_who_is_privileged():
    assert np.isfinite(separation(RULES[1], [CHEAP], 1, {"split": "val", "houses": 1})["T1"]).all()


def test_a_take_can_be_heard_through_other_acoustics():
    take = TakeSampler(TakeConfig(split="val", houses=1)).draw(np.random.default_rng(0))
    own = rendered(take, tables_of("binaural"))
    np.testing.assert_allclose(heard_through(take, take.dwelling.acoustics), own, atol=1e-6)
    other = heard_through(take, CHEAP.of(take.dwelling.scene))
    assert other.shape == own.shape
    assert np.abs(other - own).max() > 1e-3


def test_takes_are_the_same_in_all_acoustics():
    found = localisation([CHEAP, TRUE, TRUE._replace(refiner="few_rays")], 2, "val", 1)
    assert {len(errors) for errors in found.values()} <= {1, 2}
    assert all(((errors >= 0) & (errors <= 180)).all() for errors in found.values())


def test_differences_are_those_of_the_same_episodes():
    scores = {"SI-SDR": {"cheap": np.array([1.0, 5.0]), "true": np.array([2.0, 6.0])}}
    rows = table(scores, "true").splitlines()
    assert rows[2].endswith("| -1.00 (-1.00 to -1.00) |")
    assert rows[3].endswith("|  |")


def test_a_tier_is_not_compared_with_itself(capsys):
    with pytest.raises(SystemExit, match="2"):
        downstream.main(["--cheap", "T3"])
    assert "tier T3 is like itself already" in capsys.readouterr().err
