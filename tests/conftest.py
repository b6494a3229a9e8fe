"""What all tests share: their own cache directory and the folder of real recordings."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = ROOT.parent / "shared" / "data" / "real"

# Before any import of av_envs. The folder stays between runs, so that a second run is
# fast; its files are named after their content, so that a stale one is never read.
os.environ["AV_ENVS_CACHE"] = str(ROOT / ".test_cache")
os.environ["AV_ENVS_CACHE_GB"] = "2"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real recordings; tests that need it are skipped where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real recordings at {REAL_DATA}")
    return REAL_DATA


@pytest.fixture
def one_torch_thread():
    """Tests share the cores, and tiny tensors are fastest on one."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
