"""What people type: an environment for one of its suites, and an agent by its class's name."""

from importlib import import_module

from av_envs.benchmarks.command_line import UserError
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.suites.suite import SUITES, Suite, playable_suite
from av_envs.plugins import is_import_path
from av_envs.registration import MEASURING, SEPARATION, VARIANTS

OF_ENVIRONMENT = {  # the suite whose episodes stand for an environment
    "AVDynamicSep-v0": "sep-between-unheard-v1",
    "AVDynamicSep3-v0": "sep-between3-unheard-v1",
    "AVStaticSep-v0": "sep-static-v2",
    "AVFarSep-v0": "sep-far-v2",
    "AVRIRMeasure-v0": "rir-replica-like-v2",
    "AVRIRMeasureHouse-v0": "rir-mp3d-like-v2",
}
PACKAGES = {  # in which a bare name is looked for, in this order
    SEPARATION: ("av_envs.baselines.separation", "av_envs.agents.separation"),
    MEASURING: ("av_envs.baselines.rir_measure", "av_envs.agents.rir_measure"),
}


def suite_of(what: str) -> Suite:
    """The suite that an id of an environment, a suite's name or a suite's file means."""
    if what in OF_ENVIRONMENT:
        return SUITES[OF_ENVIRONMENT[what]]
    try:
        return playable_suite(what)
    except UserError as error:
        ids = ", ".join(OF_ENVIRONMENT)
        raise UserError(f"{error}; or an environment: {ids}") from None


def senses_of(suite: Suite) -> dict[str, list[str]]:
    """Options of `make_env` with which agents may hear the waveform, as people do.

    Suites that rank by the mixture's spectrogram do not offer it; where nothing is ranked, in a
    film or beside a person, agents that need it can play as well.
    """
    offered = list(suite.env_kwargs.get("observations", ()))
    is_deaf = VARIANTS.get(suite.env_id, (None,))[0] == SEPARATION and "waveform" not in offered
    return {"observations": [*offered, "waveform"]} if offered and is_deaf else {}


def agent_of(name: str, suite: Suite, kwargs_text: str = "{}") -> AgentSpec:
    """The agent that "module:Factory" means, or the bare name of one that comes with av-envs."""
    if is_import_path(name):
        return AgentSpec.parse(name, kwargs_text)
    entry_point = VARIANTS.get(suite.env_id, (None,))[0]
    offered = []
    for package in PACKAGES.get(entry_point, ()):
        try:
            names = import_module(package).__all__
        except ModuleNotFoundError:  # learned agents need an extra; others are offered
            continue
        if name in names:
            return AgentSpec.parse(f"{package}:{name}", kwargs_text)
        offered += names
    choices = f"a name of {', '.join(sorted(set(offered)))}, or " if offered else ""
    raise UserError(f"unknown agent {name!r}; give {choices}module:Factory")
