"""Who runs where: `make test` gives notebooks and browser one worker and the unit tests the other."""

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
    # Notebooks and browser want both cores and run one after the other; of the unit tests, those of one file
    # stay together, so that a fixture of a module is made once.
    for item in items:
        heavy = item.path.suffix == ".ipynb" or item.path.parent.name == "browser"
        item.add_marker(pytest.mark.xdist_group("notebooks" if heavy else item.path.stem))
