"""The command line starts light: it loads what a command needs, and leaves nothing behind but its result."""

import subprocess
import sys

import pytest

HEAVY = {"lightning", "matplotlib", "transformers", "torchmetrics", "scipy", "sklearn", "pandas", "IPython"}
# The peak before Python ends: at its end the CUDA libraries behind PyTorch are read back in to be torn down, 125 MB of
# pages of files, on machines without CUDA too.
MAKE_ONE = """
import resource
from tad_course.cli import main
status = main(["generate", "--steps", "1", "--out", "made"])
print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
# Linux counts what a process was started from to its peak, and the tests are large: so a small one starts it.
START = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"


def python(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=300)


@pytest.mark.skipif(sys.platform == "win32", reason="the peak of memory is asked of POSIX")
def test_a_sound_is_made_within_700_mb_and_without_libraries_that_only_lessons_and_training_need(tmp_path):
    command = [sys.executable, "-X", "importtime", "-c", MAKE_ONE]
    with (tmp_path / "imports").open("wb") as imports:
        made = subprocess.run(
            [sys.executable, "-c", START, *command], cwd=tmp_path, stderr=imports, stdout=subprocess.PIPE, check=True
        )
    status, peak = map(int, made.stdout.split()[-2:])
    assert status == 0 and len(list((tmp_path / "made").iterdir())) == 1
    loaded = {line.split("|")[-1].strip() for line in (tmp_path / "imports").read_text("utf-8").splitlines()}
    assert "tad_course.generate" in loaded and not HEAVY & loaded
    assert peak * (1 if sys.platform == "darwin" else 1024) < 700e6  # bytes on macOS, KiB on Linux


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_does_not_wait_for_numpy_or_pytorch(option):
    code = f"import sys; from tad_course.cli import main\ntry: main(['{option}'])\nfinally: print(sorted(sys.modules))"
    loaded = python("-c", code).stdout
    assert "tad_course.cli" in loaded and "'torch'" not in loaded and "'numpy'" not in loaded


@pytest.mark.parametrize(("argument", "status"), [("--version", 0), ("nothing", 2)])
def test_the_program_tells_how_it_went_by_its_exit_status_and_loses_no_word(argument, status):
    ended = python("-m", "tad_course", argument)
    assert ended.returncode == status and (ended.stdout or ended.stderr).endswith("\n")
