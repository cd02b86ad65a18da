"""Look at this machine and say what the course would miss, each lack with its cure.

``tad-course doctor`` prints the table, lesson 00 shows it. Nothing is imported that may be broken until a
check has caught it, and nothing is changed or downloaded. Lesson: 00
"""

import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib import metadata
from pathlib import Path

MEMORY_GB = 4  # the reference model trains in 2 GB; a browser and JupyterLab want the rest
DISK_GB = 2
INSTALL = f'"{sys.executable}" -m pip install -r requirements.lock -e .   (in the folder of the course)'


@dataclass(frozen=True)
class Check:
    """One line of the table: what was looked at, whether it will do, what was found, and what to do if not."""

    name: str
    ok: bool
    found: str
    cure: str = ""


class Missing(Exception):
    """A requirement that is not met; the message is what was found instead."""


def _python() -> str:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info[:2] < (3, 11):  # noqa: UP036  (a copied folder may meet an older Python)
        raise Missing(found)
    return found


def _torch_pair() -> str:
    import torch
    import torchaudio

    found = f"torch {torch.__version__}, torchaudio {torchaudio.__version__}"
    if torch.__version__.split(".")[:2] != torchaudio.__version__.split(".")[:2]:
        raise Missing(f"{found}: not a pair")
    return found


def _soundfile() -> str:
    import soundfile

    return f"soundfile {soundfile.__version__}, libsndfile {soundfile.__libsndfile_version__}"


def _desk() -> str:
    import ipywidgets

    return f"JupyterLab {metadata.version('jupyterlab')}, ipywidgets {ipywidgets.__version__}"


def _diffusion_library() -> str:
    import audio_diffusion_pytorch  # noqa: F401  (importing it is the check)

    return f"audio-diffusion-pytorch {metadata.version('audio-diffusion-pytorch')}"


def outside_range(requirements: list[str]) -> list[str]:
    """Return one sentence for each requirement (PEP 508) that is not installed in the version it asks for."""
    from packaging.requirements import Requirement

    problems = []
    for requirement in map(Requirement, requirements):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            problems.append(f"{requirement.name} is not installed")
        else:
            if not requirement.specifier.contains(version, prereleases=True):
                problems.append(f"{requirement.name} {version} is not {requirement.specifier}")
    return problems


def _packages() -> str:
    requirements = metadata.requires("tad-course") or []
    problems = outside_range(requirements)
    if problems:
        raise Missing("; ".join(problems))
    return f"tad-course {metadata.version('tad-course')} and what it needs"


def _memory() -> str:
    import psutil

    memory = psutil.virtual_memory()
    found = f"{memory.total / 1e9:.1f} GB, {memory.available / 1e9:.1f} GB of them free"
    if memory.total < 0.9 * MEMORY_GB * 1e9:  # a "4 GB" machine shows a little less
        raise Missing(found)
    return found


def _disk() -> str:
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    if free_gb < DISK_GB:
        raise Missing(f"{free_gb:.1f} GB free")
    return f"{free_gb:.0f} GB free"


def _threads() -> str:
    import torch

    return f"{os.cpu_count()} CPU threads, torch uses {torch.get_num_threads()}"


def _accelerator() -> str:
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()} (CUDA)"
    if torch.backends.mps.is_available():
        return "Apple GPU (MPS)"
    return "none, and none is needed"


def _shipped_model() -> str:
    from tad_course.model import checkpoint

    try:
        kit = checkpoint.load_model("drums")
    except checkpoint.CheckpointError as error:
        raise Missing(f"the model `drums` is not in the package ({error})") from error
    count, weights = len(kit.models), sum(p.numel() for p in kit.parameters())
    return f"drums, {count} networks of {weights / 1e6 / count:.1f} million weights"


def _render() -> str:
    from tad_course.drums import render

    audio = render("kick", seed=0).audio
    if not audio.isfinite().all() or not 0.01 < float(audio.abs().max()) <= 1:
        raise Missing("the drum machine's kick is silent or too loud")
    return f"a kick, {audio.shape[-1] / 44100:.2f} s in stereo"


# Name, how to look, and the cure. The order is the order in which to mend.
LOOK_AT: list[tuple[str, Callable[[], str], str]] = [
    ("Python 3.11 or newer", _python, "install Python 3.11 or newer from python.org, then set up the course again"),
    ("torch and torchaudio fit", _torch_pair, INSTALL),
    ("Sound files", _soundfile, INSTALL),
    ("JupyterLab and widgets", _desk, INSTALL),
    ("Diffusion library", _diffusion_library, INSTALL),
    ("All packages", _packages, INSTALL),
    (f"Memory, {MEMORY_GB} GB", _memory, "close other programs; lessons 05 and 07 may be slow, 11 may not fit"),
    (f"Disk, {DISK_GB} GB free", _disk, "free some space, or move the folder of the course to another disk"),
    ("CPU", _threads, INSTALL),
    ("Accelerator (optional)", _accelerator, INSTALL),
    ("Shipped model", _shipped_model, "the download is incomplete: get the course again, with git clone"),
    ("The drum machine plays", _render, INSTALL),
]


def _look(name: str, look: Callable[[], str], cure: str) -> Check:
    try:
        return Check(name, True, look())
    except Missing as lack:
        return Check(name, False, str(lack), cure)
    except Exception as error:  # a broken package may raise anything, and the table must still be shown
        first_line = (str(error).splitlines() or [""])[0]
        return Check(name, False, f"{type(error).__name__}: {first_line}", cure)


def checks() -> list[Check]:
    """Look at everything the course needs; takes some seconds, because torch is loaded."""
    return [_look(*entry) for entry in LOOK_AT]


def verdict(results: list[Check]) -> str:
    """One sentence about all of ``results``."""
    red = sum(not check.ok for check in results)
    if red == 0:
        return "Everything the course needs is here."
    return f"{red} of {len(results)} checks failed. Each has its cure beside it; start with the first."


def as_text(results: list[Check], color: bool = False) -> str:
    """The table as plain text. ``color`` adds to the words OK and FAIL, it never replaces them."""
    width = max(len(check.name) for check in results)
    lines = []
    for check in results:
        word = "OK  " if check.ok else "FAIL"
        if color:
            word = f"\033[{32 if check.ok else 31}m{word}\033[0m"
        lines.append(f"{word}  {check.name:<{width}}  {check.found}")
        if not check.ok:
            lines.append(f"      {'':<{width}}  cure: {check.cure}")
    return "\n".join([*lines, "", verdict(results)])


def as_html(results: list[Check]) -> str:
    """The table for a notebook: a real table with a caption and headers, for eyes and for screen readers."""
    rows = []
    for check in results:
        word, color = ("✓ OK", "#1b7f3b") if check.ok else ("✗ FAIL", "#b3261e")
        rows.append(
            f'<tr><td style="color:{color};font-weight:600;white-space:nowrap">{word}</td>'
            f'<th scope="row" style="text-align:left;font-weight:normal">{escape(check.name)}</th>'
            f'<td style="text-align:left"><span class="measured">{escape(check.found)}</span></td>'
            f'<td style="text-align:left">{escape(check.cure)}</td></tr>'
        )
    head = "".join(f'<th scope="col" style="text-align:left">{name}</th>' for name in ("", "check", "found", "cure"))
    return (
        f'<table><caption style="text-align:left">{escape(verdict(results))}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


class Table:
    """What ``show()`` returns: an HTML table in a notebook, the same in words where there is no HTML."""

    def __init__(self, results: list[Check]):
        self.results = results

    def _repr_html_(self) -> str:
        return as_html(self.results)

    def __repr__(self) -> str:
        lines = (f"{'OK' if c.ok else 'FAIL'}: {c.name}: ‹{c.found}› {c.cure}".rstrip() for c in self.results)
        return "\n".join([*lines, verdict(self.results)])


def show() -> Table:
    """Return the table for a notebook; what was measured is marked, so that the tests compare the rest.

    Lesson: 00
    """
    return Table(checks())


def report() -> int:
    """Print the table; return 0 if every check is green, else 1, as an exit status."""
    results = checks()
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(as_text(results, color))
    return int(not all(check.ok for check in results))
