"""Objects by import path: what cannot be imported says why, and what to install."""

import pytest

from av_envs import plugins


def test_what_is_loaded_is_what_the_module_has():
    assert plugins.load("av_envs.plugins:load", "estimator") is plugins.load


@pytest.mark.parametrize(
    ("missing", "hint"), [("torch", True), ("numba", False)], ids=["torch", "another"]
)
def test_agents_without_torch_say_what_to_install(missing, hint, monkeypatch):
    def import_module(name: str):
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr(plugins, "import_module", import_module)
    with pytest.raises(
        ValueError, match=f"cannot import 'agents'.*No module named '{missing}'"
    ) as e:
        plugins.load("agents:Passive", "estimator")
    assert str(e.value).endswith("pip install -e '.[agents]'") == hint
