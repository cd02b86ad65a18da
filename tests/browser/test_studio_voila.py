"""The studio as a page without code (Voila): keys alone make, keep and export, and axe finds nothing of ours.

One page serves all tests here, for the notebook behind it runs anew on each visit.
"""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import conftest as lab_tools
import pytest
from axe_playwright_python.sync_playwright import Axe
from studio_visit import PATIENCE_MS, Visit

from tad_course.audio.wav import wav_bytes
from tad_course.generate import Settings, generate, model_of

ROOT = Path(__file__).parents[2]
# Gaps of ipywidgets itself, which no notebook can close: the handles of its sliders have no name for screen readers.
KNOWN_GAPS = {"aria-input-field-name": "noUi-handle"}


def start_voila(project: Path, work: Path) -> tuple[subprocess.Popen, str]:
    """Serve the studio's notebook of `project`, with settings of its own; returns the process and its address."""
    port = lab_tools.free_port()
    own = {"CONFIG_DIR": "config", "DATA_DIR": "data", "RUNTIME_DIR": "runtime"}
    environment = os.environ | {f"JUPYTER_{key}": str(work / folder) for key, folder in own.items()}
    options = ["--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1", "--VoilaExecutor.iopub_timeout=60"]
    with (work / "voila.log").open("w") as log:
        command = [sys.executable, "-m", "voila", str(project / "notebooks" / "Inference.ipynb"), *options]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    return server, f"http://127.0.0.1:{port}"


def wait_until_it_listens(server: subprocess.Popen, address: str, log: Path) -> None:
    """Return when something listens at `address`; asking for the page would already run the notebook."""
    host, port = address.removeprefix("http://").split(":")
    deadline = time.monotonic() + lab_tools.START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=2).close()
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"Voila did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def page(tmp_path_factory, browser):
    """The studio on a page by Voila, with its first sound."""
    project, work = tmp_path_factory.mktemp("voila-project"), tmp_path_factory.mktemp("voila")
    for folder in ("notebooks", "data_samples"):
        shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns(".*"))
    server, address = start_voila(project, work)
    try:
        wait_until_it_listens(server, address, work / "voila.log")
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.goto(address, wait_until="domcontentloaded", timeout=5 * PATIENCE_MS)
        page.locator(".tad-shelf .tad-download").wait_for(timeout=5 * PATIENCE_MS)
        yield page
        page.close()
    finally:
        lab_tools.end(server)


def test_the_keyboard_alone_makes_keeps_renames_stars_deletes_undoes_and_exports(page, tmp_path):
    visit, keyboard = Visit(page), page.keyboard
    page.evaluate("() => document.body.focus()")

    # Make: every control answers to keys.
    visit.tab_to(".tad-make .tad-instrument button:nth-child(2)")
    visit.sound_after(lambda: keyboard.press("Space"))
    visit.tab_to(".tad-seed")
    keyboard.press("Control+A")
    keyboard.type("41")
    visit.sound_after(lambda: keyboard.press("Enter"))
    visit.tab_to(".tad-lock")
    keyboard.press("Space")
    visit.tab_to(".tad-sampler")
    visit.sound_after(lambda: keyboard.press("ArrowDown"))  # it brings its own number of steps
    visit.tab_to(".tad-steps .noUi-handle", back=True)
    steps = float(page.locator(".tad-steps .noUi-handle").get_attribute("aria-valuenow"))
    visit.sound_after(lambda: keyboard.press("ArrowRight"))
    assert page.locator(".tad-guidance .noUi-target[disabled]").count() == 1  # it has no effect with this model
    visit.tab_to(".tad-press")
    visit.sound_after(lambda: keyboard.press("Enter"))

    # Keep: a name, a star; a sound that was deleted comes back, and the keyboard never loses its place.
    visit.tab_to(".tad-cards .tad-keep")
    keyboard.press("Enter")
    visit.shelf.locator(".tad-item audio").wait_for(state="attached", timeout=PATIENCE_MS)
    visit.tab_to(".tad-shelf .tad-name")
    keyboard.press("Control+A")
    keyboard.type("Boom: one")
    keyboard.press("Enter")
    visit.wait_for_message(visit.shelf, "is now called Boom: one; its file will be Boom_ one.wav")
    visit.tab_to(".tad-shelf .tad-star")
    keyboard.press("Space")
    visit.wait_for_message(visit.shelf, "has a star")
    visit.tab_to(".tad-shelf .tad-remove")
    keyboard.press("Enter")
    visit.wait_for_message(visit.shelf, "press Undo delete")
    visit.has_focus(".tad-undo")
    keyboard.press("Enter")
    visit.wait_for_message(visit.shelf, "Boom: one is back")
    visit.has_focus(".tad-name")
    assert visit.shelf.locator(".tad-star").inner_text() == "★ starred"

    # Export: those with a star, as a download.
    visit.tab_to(".tad-which select")
    keyboard.press("ArrowDown")
    visit.tab_to(".tad-download")
    keyboard.press("Enter")
    visit.shelf.locator(".tad-link").wait_for(timeout=PATIENCE_MS)
    visit.tab_to(".tad-link")
    content = visit.download(lambda: keyboard.press("Enter"), tmp_path / "sounds.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["Boom_ one.wav", "settings.json"]
        (entry,) = json.loads(archive.read("settings.json"))["sounds"]
        settings = Settings(**entry["settings"])
        assert (settings.label, settings.seed, settings.sampler) == ("snare", 41, "ddim")
        assert (settings.num_steps, settings.guidance_scale) == (steps + 1, 1)
        again = wav_bytes(generate(model_of(settings), settings), entry["encoding"], settings.to_json())
        assert archive.read(entry["file"]) == again


def test_stop_gives_the_keyboard_back_to_make(page):
    visit = Visit(page)
    visit.to_the_end("count")
    visit.to_the_end("steps")
    visit.press.focus()
    page.keyboard.press("Enter")
    page.locator(".tad-make .tad-stop:not([style*='hidden'])").wait_for(timeout=PATIENCE_MS)
    page.locator(".tad-make .tad-stop").focus()
    page.keyboard.press("Enter")
    visit.wait_for_message(visit.make, "Stopped")
    visit.has_focus(".tad-press")


def test_axe_finds_nothing_serious_beyond_the_known_gaps_of_ipywidgets(page):
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    ours = []
    for violation in found:
        for node in violation["nodes"]:
            gap = KNOWN_GAPS.get(violation["id"])
            if violation["impact"] in ("serious", "critical") and not (gap and gap in node["html"]):
                ours.append(f"{violation['impact']} {violation['id']}: {node['target']} {node['html'][:160]}")
    assert ours == []
