"""A small folder of recordings, made once."""

from pathlib import Path

import pytest

from tests.agents.localization.made_recordings import made_folder


@pytest.fixture(scope="session")
def recordings(tmp_path_factory) -> Path:
    return made_folder(tmp_path_factory.mktemp("recordings"), of_train=2)
