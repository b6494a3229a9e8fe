"""Names of options are those of what there is."""

from importlib import import_module

import pytest

from av_envs.agents.options import choices

pytest.importorskip("torch")

KNOWN = [  # where, and what it is called among the choices
    ("agents.separation.separator:SIZES", "SIZES"),
    ("agents.separation.agent:SIZES", "SIZES"),
    ("agents.rir_measure.presets:SIZES", "SIZES"),
    ("agents.ppo.distributed:BACKENDS", "BACKENDS"),
    ("agents.adapters.sb3.algorithms:TRAINED", "TRAINED"),
    ("agents.separation.separator:LOSSES", "SEPARATOR_LOSSES"),
    ("agents.separation.agent:KINDS", "SEPARATING"),
    ("agents.separation.networks.policy:FEATURES", "SENSES"),
    ("agents.separation.networks.memory:DISTANCES", "MEMORY_LOSSES"),
    ("agents.rir_measure.presets:ENVIRONMENTS", "ENVIRONMENTS"),
    ("agents.rir_measure.presets:PRESETS", "PRESETS"),
    ("agents.rir_measure.sampling:SAMPLERS", "SAMPLERS"),
    ("agents.rir_measure.networks.encoders:VISIONS", "VISIONS"),
    ("agents.rir_measure.sharing:LOSSES", "SHARING_LOSSES"),
    ("agents.rir_measure.networks.policy:WEIGHTS", "WEIGHTS"),
    ("agents.rir_measure.networks.policy:CRITICS", "CRITICS"),
    ("agents.localization.network:SIZES", "LOCALISER_SIZES"),
    ("agents.localization.features:KINDS", "HEARING"),
    ("agents.localization.losses:ASSOCIATIONS", "ASSOCIATIONS"),
]


@pytest.mark.parametrize(("where", "name"), KNOWN)
def test_choices_are_those_there_are(where, name):
    module, _, known = where.partition(":")
    assert getattr(choices, name) == tuple(getattr(import_module(f"av_envs.{module}"), known))
