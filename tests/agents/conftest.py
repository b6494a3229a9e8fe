"""Small networks are fastest on one core, and tests share theirs."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_core():
    torch.set_num_threads(1)
