"""What all tests share: the environment of the stored outputs, and which tests stay together."""

import os
from pathlib import Path

import pytest

from tad_course.notebook_runner import ENVIRONMENT

# Kernels are started from these processes and must see what stored the notebooks' outputs.
os.environ.update(ENVIRONMENT)

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="module")
def one_thread():
    """Networks of the size that tests use are fastest on one core, all the more when the machine is busy."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def every_tick(monkeypatch):
    """A bar that is there from the first network call on and moves with each, however quick the job is."""
    from tad_course.studio import jobs

    monkeypatch.setattr(jobs, "QUICK_S", -1)
    monkeypatch.setattr(jobs, "GLANCE_S", 0)


@pytest.fixture
def no_bar(monkeypatch):
    """A machine on which every job counts as a quick one."""
    from tad_course.studio import jobs

    monkeypatch.setattr(jobs, "QUICK_S", float("inf"))


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory) -> Path:
    """A model of the right shape that has learned nothing: it makes noise, but by the same rules."""
    import torch

    from tad_course.config import ModelConfig
    from tad_course.drums import LABELS
    from tad_course.model.checkpoint import save_model
    from tad_course.model.network import AudioDiffusion

    torch.manual_seed(0)
    small = ModelConfig(
        labels=LABELS, channels=(16, 16, 16), factors=(1, 2, 4), items=(1, 1, 1), attentions=(0, 0, 1),
        attention_heads=1, attention_features=8,
    )  # fmt: skip
    return save_model(AudioDiffusion(small), tmp_path_factory.mktemp("models") / "untrained")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    # The tests of one file stay in one process, so that a fixture of a module is made once.
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
