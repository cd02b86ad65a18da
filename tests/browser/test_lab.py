"""In a real JupyterLab, with a real browser: *Run All* ends well and there is something to hear."""

from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
OPENED_BY_LEARNERS_FIRST = [n for n in ("00_start_here", "Inference") if (NOTEBOOKS / f"{n}.ipynb").exists()]


@pytest.mark.parametrize("name", OPENED_BY_LEARNERS_FIRST)
def test_run_all_ends_without_an_error_and_with_sounds(name, run_all):
    ran = run_all(f"notebooks/{name}.ipynb")

    code = [c for c in ran.cells if c["cell_type"] == "code" and "".join(c["source"]).strip()]
    assert all(c["execution_count"] for c in code), "a cell was not run"
    assert ran.errors == []
    players = ran.page.locator("audio")
    assert players.count() >= 1
    players.first.scroll_into_view_if_needed()
    duration_s = players.first.evaluate(
        """player => new Promise((done, fail) => {
            if (player.readyState >= 1) return done(player.duration);
            player.onloadedmetadata = () => done(player.duration);
            player.onerror = () => fail(new Error('the player cannot read its sound'));
            player.preload = 'metadata'; player.load();
        })"""
    )
    assert duration_s > 0.1
