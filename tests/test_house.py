"""The house: ranges, lock, conda's file and what the code imports tell one story."""

import ast
import json
import os
import re
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
import torch
import yaml
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import MatchSpec

import tad_course

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
LOCK_LINES = [line for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines() if line.strip()]
LOCK = [Requirement(line) for line in LOCK_LINES]
INSTALLED_TOGETHER = [Requirement(r) for r in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]]
SYSTEMS = {
    "Linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "macOS": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    "Windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}


def locked_on(system: str, python: str = "3.11.2") -> dict[str, str]:
    """Name -> version of what the lock installs on a system."""
    environment = SYSTEMS[system] | {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    chosen = [r for r in LOCK if r.marker is None or r.marker.evaluate(environment)]
    names = [canonicalize_name(r.name) for r in chosen]
    assert len(names) == len(set(names)), f"a package is locked twice on {system}"
    return {name: str(r.specifier).removeprefix("==") for name, r in zip(names, chosen, strict=True)}


def test_the_lock_names_exact_versions_and_no_place_to_get_them_from():
    assert all(re.fullmatch(r"==[^*,]+", str(r.specifier)) and r.url is None for r in LOCK)
    assert not [line for line in LOCK_LINES if line.startswith("-") or "://" in line]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("requirement", INSTALLED_TOGETHER, ids=lambda r: r.name)
def test_each_locked_version_lies_in_its_range(requirement, system):
    python = "3.13.1" if requirement.marker else "3.11.2"  # what only newer Pythons need
    version = locked_on(system, python)[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


@pytest.mark.parametrize("system", SYSTEMS)
def test_torch_and_torchaudio_are_locked_as_a_pair(system):
    locked = locked_on(system)
    assert locked["torch"] == locked["torchaudio"]


def test_the_lock_serves_the_oldest_python_that_the_ranges_allow():
    assert SpecifierSet(PROJECT["requires-python"]).contains("3.11.0")
    assert locked_on("Linux", "3.11.0")["soupsieve"] != locked_on("Linux", "3.13.1")["soupsieve"]


def test_what_is_installed_here_is_what_the_lock_says():
    machine = locked_on({"darwin": "macOS", "win32": "Windows"}.get(sys.platform, "Linux"), sys.version.split()[0])
    here = {r.name: metadata.version(r.name) for r in INSTALLED_TOGETHER if not r.marker or r.marker.evaluate()}
    assert here == {name: machine[canonicalize_name(name)] for name in here}


def test_every_conda_spec_is_one_that_conda_can_read():
    specs = [MatchSpec(spec) for spec in CONDA["dependencies"] if isinstance(spec, str)]
    assert {spec.name.normalized for spec in specs} == {"python", "pip"}
    with pytest.raises(Exception, match="version"):
        MatchSpec("python=>3.11=")


def test_conda_installs_the_lock_and_the_project_and_nothing_else_with_pip():
    (pip,) = [entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict)]
    assert pip == ["-r requirements.lock", "-e ."]
    assert CONDA["name"] == PROJECT["name"]


def test_the_python_of_conda_is_one_that_the_project_supports():
    (python,) = [spec for spec in CONDA["dependencies"] if isinstance(spec, str) and spec.startswith("python=")]
    version = python.partition("=")[2]
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{version}.0")


def test_make_installs_the_same_lock():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "pip install --disable-pip-version-check -r requirements.lock -e ." in makefile
    assert "$(STAMP): requirements.lock pyproject.toml" in makefile


def test_the_version_is_written_once():
    assert "version" in PROJECT["dynamic"]
    assert metadata.version("tad-course") == tad_course.__version__


@pytest.mark.skipif("TAD_COURSE_OTHER_PROCESSOR" not in os.environ, reason="only `make unit-other` imitates one")
def test_the_imitated_processor_has_no_new_vector_instructions():
    assert torch.backends.cpu.get_cpu_capability() == "DEFAULT"
    assert not [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]


def imported_names(source: str) -> set[str]:
    """Top-level packages that Python code imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


def notebook_code(path: Path) -> str:
    """The code of a notebook without IPython's magics."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return "\n".join(line for cell in code for line in cell.splitlines() if not line.lstrip().startswith(("%", "!")))


@cache
def installed_packages() -> dict[str, list[str]]:
    """Which distributions bring each package; to look it up takes a while."""
    return metadata.packages_distributions()


def undeclared(names: set[str], declared: list[str]) -> set[str]:
    """Third-party packages among ``names`` that none of the ``declared`` requirements brings."""
    allowed = {canonicalize_name(Requirement(r).name) for r in declared}
    brings = installed_packages()
    ours = set(sys.stdlib_module_names) | {"tad_course"}
    return {n for n in names - ours if not {canonicalize_name(d) for d in brings.get(n, [n])} & allowed}


@pytest.mark.parametrize("path", sorted((ROOT / "tad_course").rglob("*.py")), ids=lambda p: p.name)
def test_the_package_imports_only_what_it_declares(path):
    optional = PROJECT["optional-dependencies"]["loggers"]
    assert not undeclared(imported_names(path.read_text(encoding="utf-8")), PROJECT["dependencies"] + optional)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_the_notebooks_import_only_what_every_learner_has(path):
    assert not undeclared(imported_names(notebook_code(path)), PROJECT["dependencies"])
