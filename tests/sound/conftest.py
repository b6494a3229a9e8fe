import pytest

from av_envs.cache.rows import cache_directory
from av_envs.sound.embedded import EmbeddedCorpus


def in_a_cache_of_its_own(tmp_path_factory, edition):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AV_ENVS_CACHE", str(tmp_path_factory.mktemp("cache")))
        cache_directory.cache_clear()
        made = EmbeddedCorpus(edition=edition)
    cache_directory.cache_clear()
    return made


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """The embedded corpus in a cache of its own, so that every clip is made by this code."""
    return in_a_cache_of_its_own(tmp_path_factory, "embedded")


@pytest.fixture(scope="session")
def second_edition(tmp_path_factory):
    """Its second edition, likewise."""
    return in_a_cache_of_its_own(tmp_path_factory, "embedded-2")


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AV_ENVS_CACHE", str(tmp_path / "cache"))
    cache_directory.cache_clear()
    yield
    cache_directory.cache_clear()
