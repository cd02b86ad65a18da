"""The house has the floor plan of `pyproject.toml`, and its main path can be read in an afternoon."""

from pathlib import Path

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parent.parent
# From a seed and a label to a WAV, in the order of reading.
PATH = (
    "generate.py", "model/checkpoint.py", "config.py", "model/network.py", "model/transforms.py", "model/diffusion.py",
    "model/samplers.py", "audio/wav.py",
)  # fmt: skip


def test_arrows_point_downwards_only(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == EXIT_STATUS_SUCCESS


def test_the_path_from_a_seed_to_a_wav_is_short():
    texts = {name: (ROOT / "tad_course" / name).read_text("utf-8") for name in PATH}
    lines = {name: sum(bool(line.strip()) for line in text.splitlines()) for name, text in texts.items()}
    assert sum(lines.values()) <= 900, lines  # that are not blank, whole files


def test_nothing_on_the_path_is_left_out():
    """Each module of the package that these files import is one of them, or a constant-size helper named here."""
    helpers = {"audio.levels", "files", "__init__"}
    known = {name.removesuffix(".py").replace("/", ".") for name in PATH} | helpers
    for name in PATH:
        for line in (ROOT / "tad_course" / name).read_text("utf-8").splitlines():
            if line.startswith("from tad_course"):
                module = line.split()[1].removeprefix("tad_course").lstrip(".") or "__init__"
                assert module in known, f"{name}: {line}"
