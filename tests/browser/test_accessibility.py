"""axe checks every notebook as exported HTML: no serious finding in what is ours."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from nbconvert import HTMLExporter

NOTEBOOKS = sorted((Path(__file__).parent.parent.parent / "notebooks").glob("[!.]*.ipynb"))
# What nbconvert's template gets wrong by itself: gray prompts, some colors of its code, links without an underline.
OF_THE_TEMPLATE = [".jp-InputPrompt", ".jp-OutputPrompt", ".highlight"]
RULES_OF_THE_TEMPLATE = {"link-in-text-block"}


@pytest.fixture
def page(browser):
    """A page that reaches nothing outside this machine."""
    page = browser.new_page()
    page.set_default_timeout(180_000)  # a busy machine takes its time with axe
    page.route("http*://**", lambda route: route.abort())
    yield page
    page.close()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_axe_finds_nothing_serious_in_the_exported_page(path, page, tmp_path):
    exported = tmp_path / f"{path.stem}.html"
    exported.write_text(HTMLExporter().from_filename(str(path))[0], encoding="utf-8")
    page.goto(exported.as_uri(), wait_until="load")
    found = Axe().run(page, context={"exclude": [[selector] for selector in OF_THE_TEMPLATE]}).response
    serious = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    ours = [v for v in serious if v["id"] not in RULES_OF_THE_TEMPLATE]
    assert not [f"{v['id']}: {node['html'][:200]}" for v in ours for node in v["nodes"]]
