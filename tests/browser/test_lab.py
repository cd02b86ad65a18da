"""In a real JupyterLab, with a real browser: *Run All* of the first lesson ends well and there is something to hear.

(nbval runs the cells of all notebooks, and test_studio_page.py does *Run All* with the studio.)
"""

DURATION = """player => new Promise((done, fail) => {
    if (player.readyState >= 1) return done(player.duration);
    player.onloadedmetadata = () => done(player.duration);
    player.onerror = () => fail(new Error('the player cannot read its sound'));
    player.preload = 'metadata'; player.load();
})"""


def test_run_all_ends_without_an_error_and_with_sounds(pages):
    ran = pages.run_all("notebooks/00_start_here.ipynb")
    assert ran.errors == []
    player = ran.page.locator("audio").first
    player.wait_for(state="attached")
    player.scroll_into_view_if_needed()
    assert player.evaluate(DURATION) > 0.1
