"""Small separators and agents as files, made once."""

import pytest

from av_envs.agents.separation.agent import KINDS, load_separator
from tests.agents.separation import small_networks


@pytest.fixture(scope="session")
def separator():
    return small_networks.small_separator()


@pytest.fixture(scope="session")
def separator_file(separator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("separator")
    return small_networks.saved_separator(folder / "small.safetensors", separator)


@pytest.fixture(scope="session")
def agent_files(separator_file, tmp_path_factory):
    """By kind."""
    kept, folder = load_separator(separator_file)[0], tmp_path_factory.mktemp("agents")
    return {
        kind: small_networks.saved_agent(
            folder / f"{kind}.safetensors", small_networks.small_agent(kind, kept)
        )
        for kind in KINDS
    }
