"""A real JupyterLab on a copy of the project, and a real Chromium that looks at it. Nothing leaves the machine."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parent.parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
]
START_TIMEOUT_S = 120
RUN_TIMEOUT_S = 900
NO_NEWS = '{"fetchNews": "false", "checkForUpdates": false}'
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)"
CELLS = "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map(cell => cell.toJSON())"


def free_port() -> int:
    """A TCP port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The system's Chromium. Without one these tests are skipped on a desk, and fail in the CI."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        reason = "no Chromium found: install it (Debian: sudo apt install chromium) or set CHROMIUM to its path"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return found


def start_lab(project: Path, work: Path) -> tuple[subprocess.Popen, str]:
    """Start a JupyterLab that knows nothing of the user's settings; returns the process and its address."""
    settings = work / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(NO_NEWS)
    own = {"CONFIG_DIR": "config", "DATA_DIR": "data", "RUNTIME_DIR": "runtime"}
    own_lab = {"SETTINGS_DIR": "settings", "WORKSPACES_DIR": "workspaces"}
    environment = os.environ | {f"JUPYTER_{key}": str(work / folder) for key, folder in own.items()}
    environment |= {f"JUPYTERLAB_{key}": str(work / folder) for key, folder in own_lab.items()}
    port = free_port()
    options = ["--no-browser", "--allow-root", "--LabApp.expose_app_in_browser=True", "--IdentityProvider.token="]
    place = {"ip": "127.0.0.1", "port": port, "port_retries": 0, "root_dir": project}
    options += [f"--ServerApp.{name}={value}" for name, value in place.items()]
    with (work / "lab.log").open("w") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    return server, f"http://127.0.0.1:{port}"


def wait_until_up(server: subprocess.Popen, address: str, log: Path) -> None:
    """Return when the server answers; fail with the end of its log if it does not."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=2)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def lab(tmp_path_factory, chromium_path):
    """The address of a running JupyterLab whose root is a copy of the project's notebooks and sounds."""
    project, work = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("lab")
    for folder in ("notebooks", "data_samples"):
        if (ROOT / folder).exists():
            shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns(".*"))
    server, address = start_lab(project, work)
    try:
        wait_until_up(server, address, work / "lab.log")
        yield address
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="session")
def browser(chromium_path):
    """One headless Chromium for all tests."""
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Ran:
    """A notebook after *Run All*: the page, its notebook panel, and its cells as the notebook model has them."""

    page: "playwright.Page"
    panel: "playwright.Locator"
    cells: list[dict]

    @property
    def errors(self) -> list[str]:
        """Errors that no cell announced with the tag ``raises-exception``."""
        wild = [c for c in self.cells if "raises-exception" not in c.get("metadata", {}).get("tags", [])]
        outputs = [(c["id"], o) for c in wild for o in c.get("outputs", []) if o["output_type"] == "error"]
        return [f"{cell}: {o['ename']}: {o['evalue'][:300]}" for cell, o in outputs]


def wait_for_kernel(page, timeout_s: int = START_TIMEOUT_S) -> None:
    """Wait for the status bar: the notebook's own indicator says idle before there is a kernel at all."""
    page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=timeout_s * 1000)
    playwright.expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=timeout_s * 1000)


@pytest.fixture
def run_all(lab, browser):
    """A function that opens a notebook (path from the project's folder), runs all of it and returns ``Ran``."""
    pages = []

    def open_and_run(notebook: str) -> Ran:
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        pages.append(page)
        page.goto(f"{lab}/lab/tree/{notebook}?reset", wait_until="domcontentloaded")
        wait_for_kernel(page)
        panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        page.evaluate(RUN_ALL)  # its promise is kept when the last cell has run
        indicator = panel.locator(".jp-Notebook-ExecutionIndicator")
        playwright.expect(indicator).to_have_attribute("data-status", "idle", timeout=RUN_TIMEOUT_S * 1000)
        page.wait_for_timeout(1000)  # widgets draw after the kernel is idle
        return Ran(page, panel, page.evaluate(CELLS))

    yield open_and_run
    for page in pages:
        page.close()
