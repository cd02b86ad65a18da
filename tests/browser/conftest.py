"""A real JupyterLab on a copy of the project, and a real Chromium that opens it. Nothing leaves the machine."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path

import nbformat
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
START_TIMEOUT_S = 240
RUN_TIMEOUT_S = 900
PATIENCE_MS = 120_000
NO_NEWS = '{"fetchNews": "false", "checkForUpdates": false}'
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)"
END_KERNELS = "() => window.jupyterapp.serviceManager.sessions.shutdownAll()"
CELLS = "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map(cell => cell.toJSON())"


def free_port() -> int:
    """A TCP port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The system's Chromium. Without one these tests are skipped on a developer's machine, and fail in the CI."""
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


def end(server: subprocess.Popen) -> None:
    """End a server; one that does not end in time is not waited for."""
    server.terminate()
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()


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
        end(server)


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
        """Errors that no cell announced with the tag ``raises-exception``, and cells that were not run."""
        wild = [c for c in self.cells if "raises-exception" not in c.get("metadata", {}).get("tags", [])]
        outputs = [(c["id"], o) for c in wild for o in c.get("outputs", []) if o["output_type"] == "error"]
        found = [f"{cell}: {o['ename']}: {o['evalue'][:300]}" for cell, o in outputs]
        code = [c for c in self.cells if c["cell_type"] == "code" and "".join(c["source"]).strip()]
        return found + [f"{c['id']}: was not run" for c in code if not c["execution_count"]]


def wait_for_kernel(page, timeout_s: int = START_TIMEOUT_S) -> None:
    """Wait for the status bar: the notebook's own indicator shows idle before there is a kernel at all."""
    page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=timeout_s * 1000)
    playwright.expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=timeout_s * 1000)


def put(lab: str, path: str, notebook: dict) -> None:
    """Save a notebook on the server, as its own page would."""
    cookies = CookieJar()
    visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    visitor.open(f"{lab}/lab").close()
    content = json.dumps({"type": "notebook", "format": "json", "content": notebook}).encode()
    headers = {"X-XSRFToken": next(cookie.value for cookie in cookies if cookie.name == "_xsrf")}
    visitor.open(urllib.request.Request(f"{lab}/api/contents/{path}", content, headers, method="PUT")).close()


def notebook_of(cells: dict[str, str]) -> dict:
    """A notebook with these code cells, by their ids."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    code = [nbformat.v4.new_code_cell(source, id=name) for name, source in cells.items()]
    return nbformat.v4.new_notebook(cells=code, metadata=kernel)


class Pages:
    """Pages of one JupyterLab; when they close, their kernels end as well, for each takes much memory."""

    def __init__(self, lab: str, browser):
        self.lab, self.browser, self.pages = lab, browser, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for page in self.pages:
            with suppress(playwright.Error):  # a page that has crashed must not hide why a test failed
                page.evaluate(END_KERNELS)
            page.close()

    def open(self, notebook: str):
        """Open a notebook (path from the project's folder) and return the page when its kernel is ready."""
        page = self.browser.new_page(viewport={"width": 1280, "height": 1400})
        page.set_default_timeout(PATIENCE_MS)
        self.pages.append(page)
        page.goto(
            f"{self.lab}/lab/tree/{notebook}?reset", wait_until="domcontentloaded", timeout=START_TIMEOUT_S * 1000
        )
        wait_for_kernel(page)
        return page

    def run_all(self, notebook: str) -> Ran:
        """Open a notebook, run all of it and return what came of it."""
        page = self.open(notebook)
        panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        page.evaluate(RUN_ALL)  # its promise is kept when the last cell has run
        indicator = panel.locator(".jp-Notebook-ExecutionIndicator")
        playwright.expect(indicator).to_have_attribute("data-status", "idle", timeout=RUN_TIMEOUT_S * 1000)
        return Ran(page, panel, page.evaluate(CELLS))

    def run_cells(self, name: str, cells: dict[str, str]) -> Ran:
        """Run a notebook that has only these code cells."""
        put(self.lab, f"notebooks/{name}.ipynb", notebook_of(cells))
        return self.run_all(f"notebooks/{name}.ipynb")


@pytest.fixture
def pages(lab, browser):
    """Pages for one test."""
    with Pages(lab, browser) as pages:
        yield pages
