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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    # The tests of one file stay in one process, so that a fixture of a module is made once.
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
