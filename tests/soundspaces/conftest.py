import pytest
from tiny_tree import write_scene


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory):
    """A tree of mp3d with one complete scene, "hall". Nobody writes into it."""
    root = tmp_path_factory.mktemp("soundspaces")
    write_scene(root, "hall")
    return root
