"""The doctor finds what a machine lacks, says how to mend it, and never falls ill himself."""

import collections
import importlib
import re

import pytest

from tad_course import doctor
from tad_course.model import checkpoint

Usage = collections.namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def results():
    return {check.name: check for check in doctor.checks()}


def test_this_machine_has_the_packages_and_can_play_the_drum_machine(results):
    for name in ("torch and torchaudio fit", "Sound files", "JupyterLab and widgets", "All packages"):
        assert results[name].ok, results[name]
    assert "0.74 s" in results["The drum machine plays"].found


def test_the_model_is_shipped(results):
    assert results["Shipped model"].ok, results["Shipped model"].found


def test_a_machine_without_accelerator_is_not_ill(results, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert doctor._look("Accelerator", doctor._accelerator, "").ok


def test_torch_and_torchaudio_that_do_not_fit_are_a_red_line_with_its_cure(monkeypatch):
    import torchaudio

    monkeypatch.setattr(torchaudio, "__version__", "2.3.0")
    check = doctor._look("pair", doctor._torch_pair, doctor.INSTALL)
    assert not check.ok
    assert "not a pair" in check.found
    assert "requirements.lock" in check.cure


def test_a_package_that_cannot_be_loaded_is_a_red_line_and_not_a_crash():
    def look():
        raise OSError("libc10_cuda.so: cannot open shared object file\nmore")

    check = doctor._look("torch", look, "install it again")
    assert (check.ok, check.cure) == (False, "install it again")
    assert check.found == "OSError: libc10_cuda.so: cannot open shared object file"


def test_a_missing_module_is_named(monkeypatch):
    def look():
        return importlib.import_module("no_such_package_at_all")

    assert "no_such_package_at_all" in doctor._look("x", look, "").found


def test_too_little_disk_is_seen(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(100e9, 99.5e9, 0.5e9))
    check = doctor._look("disk", doctor._disk, "free some")
    assert (check.ok, check.found) == (False, "0.5 GB free")


def test_an_incomplete_download_is_seen(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path)
    check = doctor._look("model", doctor._shipped_model, "clone again")
    assert (check.ok, check.cure) == (False, "clone again")
    assert "drums" in check.found


def test_a_damaged_model_is_seen(monkeypatch, tmp_path):
    (tmp_path / "drums").mkdir()
    (tmp_path / "drums" / checkpoint.WEIGHTS).write_bytes(b"cut sho")
    (tmp_path / "drums" / checkpoint.CONFIG).write_text("{}")
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path)
    assert not doctor._look("model", doctor._shipped_model, "").ok


def test_versions_outside_their_range_are_named():
    problems = doctor.outside_range(["pytest<1", "no-such-package-at-all>=1", "pytest>=8", "wandb; extra == 'loggers'"])
    assert [p.partition(" ")[0] for p in problems] == ["pytest", "no-such-package-at-all"]


RESULTS = [doctor.Check("Ears", True, "two"), doctor.Check("Disk <big>", False, "none", "buy one")]


def test_the_text_says_ok_and_fail_in_words_and_only_red_lines_carry_a_cure():
    lines = doctor.as_text(RESULTS).splitlines()
    assert lines[0].split() == ["OK", "Ears", "two"]
    assert lines[1].startswith("FAIL")
    assert lines[2].strip() == "cure: buy one"
    assert "\033" not in "".join(lines)


def test_color_is_only_an_extra():
    colored = doctor.as_text(RESULTS, color=True)
    assert re.sub(r"\033\[\d+m", "", colored) == doctor.as_text(RESULTS)
    assert colored != doctor.as_text(RESULTS)


def test_the_notebook_table_is_escaped_has_headers_and_the_same_words():
    html = doctor.Table(RESULTS)._repr_html_()
    assert "Disk &lt;big&gt;" in html
    assert html.count('scope="row"') == 2
    assert html.count('scope="col"') == 4
    assert "✓ OK" in html
    assert "✗ FAIL" in html
    assert "FAIL: Disk <big>: ‹none› buy one" in repr(doctor.Table(RESULTS))


def test_the_exit_status_tells_whether_all_is_well(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "checks", lambda: RESULTS)
    assert doctor.report() == 1
    monkeypatch.setattr(doctor, "checks", lambda: RESULTS[:1])
    assert doctor.report() == 0
    assert "Everything the course needs is here." in capsys.readouterr().out
