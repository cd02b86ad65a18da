"""The panel Play in a real JupyterLab: every control is used once, and the loop is recorded while it plays."""

import base64
import re
import time
from pathlib import Path

import mido
import numpy as np
import pytest
from conftest import PATIENCE_MS, playwright

from tad_course.audio import load_audio
from tad_course.drums.pattern import LEVEL_NAMES, Pattern, surprise
from tad_course.drums.voices import LABELS
from tad_course.studio.pattern_panel import FIRST

CODE = "from tad_course.studio.studio import Studio\n\nstudio = Studio()"
RECORD = """async () => {
    const {context, out} = document.querySelector('.tad-play').tadDeck;
    const code = `registerProcessor('tape', class extends AudioWorkletProcessor {
        process(inputs) { this.port.postMessage([currentFrame, inputs[0].map(x => Array.from(x))]); return true; } })`;
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([code], {type: 'text/javascript'})));
    const tape = new AudioWorkletNode(context, 'tape');
    window.tape = [];
    tape.port.onmessage = event => window.tape.push(event.data);
    out.connect(tape).connect(context.destination);
}"""
TAPE = "() => window.tape.filter(([, channels]) => channels.length).map(([at, channels]) => [at, channels[0]])"


@pytest.fixture
def page(pages):
    """A notebook with the panels Make, Play and Shelf, after Run All."""
    shows = {name: f"studio.show_{name}()" for name in ("make", "play", "shelf")}
    ran = pages.run_cells("pattern_test", {"open": CODE} | shows)
    assert ran.errors == []
    return ran.page


class Player:
    """The panel on a page, and what a musician does with it."""

    def __init__(self, page):
        self.page, self.panel = page, page.locator(".tad-play")
        self.steps = self.panel.locator(".tad-step")
        self.loop = self.panel.locator(".tad-loop")

    def named(self, name: str):
        return self.panel.locator(f".tad-{name}")

    def loop_after(self, act) -> str:
        """Do something and return the loop that follows."""
        before = self.loop.get_attribute("src")
        act()
        self.page.wait_for_function(
            "before => { const now = document.querySelector('.tad-loop'); return now && now.src !== before; }",
            arg=before,
            timeout=PATIENCE_MS,
        )
        return self.loop.get_attribute("src")

    def wait_for_message(self, words: str) -> str:
        line = self.panel.locator(".tad-message").filter(has_text=re.compile(words))
        line.wait_for(timeout=PATIENCE_MS)
        return line.inner_text()

    def wait_until_playing(self, playing: bool = True) -> None:
        self.page.wait_for_function(
            "playing => ('now' in document.querySelector('.tad-play').dataset) === playing", arg=playing
        )

    def signs(self) -> dict[str, str]:
        titles = self.steps.evaluate_all("steps => steps.map(step => step.title)")
        signs = "".join(".-xX"[LEVEL_NAMES.index(title.rpartition(", ")[2])] for title in titles)
        return {label: signs[16 * k : 16 * k + 16] for k, label in enumerate(LABELS)}

    def shows(self, rows: dict[str, str]) -> None:
        """Wait until the steps are these."""
        deadline_s = time.monotonic() + PATIENCE_MS / 1000
        while self.signs() != rows and time.monotonic() < deadline_s:
            self.page.wait_for_timeout(100)
        assert self.signs() == rows

    def turn(self, place: int, key: str) -> None:
        handle = self.panel.locator(".noUi-handle").nth(place)
        handle.focus()
        handle.press(key)

    def press_player(self) -> None:
        self.loop.click(position={"x": 26, "y": 20})  # the button in the element's own controls


def samples(source: str, folder: Path) -> np.ndarray:
    (folder / "loop.wav").write_bytes(base64.b64decode(source.partition(",")[2]))
    return load_audio(folder / "loop.wav", None).numpy()


def recorded(page, seconds: float) -> np.ndarray:
    """Return the left channel of what is played, as one stretch without a missing sample."""
    page.evaluate(RECORD)
    page.wait_for_function(f"() => window.tape.length > {seconds} * 44100 / 128", timeout=PATIENCE_MS)
    blocks = page.evaluate(TAPE)
    frames = np.array([frame for frame, _ in blocks])
    last_gap = int(np.flatnonzero(np.diff(frames) != 128).max(initial=-1)) + 1
    return np.concatenate([block for _, block in blocks[last_gap:]])


def test_every_control_of_the_pattern_is_used_once(page, tmp_path):
    player = Player(page)
    panel = player.panel
    page.wait_for_function("() => document.querySelectorAll('.tad-step').length === 64")
    player.shows({label: FIRST.signs(label) for label in LABELS})

    # Press play: it loops without a gap, sample for sample the WAV that the player holds.
    player.press_player()
    player.wait_until_playing()
    fast = samples(player.loop_after(lambda: player.turn(0, "End")), tmp_path)  # 240 beats a minute
    assert fast.shape[-1] == 44_100
    page.wait_for_function("() => document.querySelector('.tad-play').tadDeck.voice.length_s === 1")
    now_s = page.evaluate("() => document.querySelector('.tad-play').tadDeck.context.currentTime")
    page.wait_for_function(  # it takes over within 25 ms of sound
        "then_s => document.querySelector('.tad-play').tadDeck.context.currentTime > then_s", arg=now_s + 0.3
    )
    tape = recorded(page, 4.0)
    assert len(tape) > 2.5 * 44_100, "the recording has holes"
    tape = tape[-round(2.5 * 44_100) :]  # on a busy machine the other loop may sound a little longer
    assert np.array_equal(tape[:-44_100], tape[44_100:])
    spectra = np.fft.rfft(tape[:44_100]) * np.conj(np.fft.rfft(fast[0]))
    shift = int(np.fft.irfft(spectra).argmax())  # the recording began somewhere in the bar
    assert np.abs(np.roll(fast[0], shift) - tape[:44_100]).max() < 1e-4

    # A press on a step while it plays: another loop takes over, and it plays on.
    player.loop_after(player.steps.nth(1).click)
    assert player.wait_for_message("kick, step 2: medium")
    player.shows({label: FIRST.with_level("kick", 1, 2).signs(label) for label in LABELS})
    player.wait_until_playing()

    # By keyboard: down one row, right one step, and press.
    player.steps.nth(1).focus()
    for key in ("ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    player.loop_after(lambda: page.keyboard.press("Space"))
    assert player.wait_for_message("snare, step 3: medium")
    assert player.steps.nth(18).evaluate("step => step === document.activeElement")

    # Swing, mute, another sound, nothing at all, and back.
    player.loop_after(lambda: player.turn(1, "End"))
    player.loop_after(player.named("mute").nth(2).click)
    panel.get_by_role("button", name="hihat is muted").wait_for()
    player.loop_after(lambda: panel.get_by_role("combobox", name="kick").select_option("hihat, seed 0"))
    before = player.signs()
    silence = samples(player.loop_after(player.named("clear").click), tmp_path)
    assert not silence.any()
    player.loop_after(player.named("undo").click)
    player.shows(before)

    # At random, and the same once more by its seed.
    player.loop_after(player.named("surprise-me").click)
    seed = int(re.search(r"4 sounds of seed (\d+)", player.wait_for_message(r"4 sounds of seed")).group(1))
    player.shows({label: surprise(seed).signs(label) for label in LABELS})
    number = panel.locator("input[type=number]")
    number.fill("7")
    number.press("Enter")
    player.wait_for_message(r"4 sounds of seed 7\.")
    lucky = surprise(7)
    player.shows({label: lucky.signs(label) for label in LABELS})

    # Keep, save, download.
    player.named("keep-the-sounds").click()
    player.wait_for_message("On the shelf: kick, seed 7, snare, seed 7")
    playwright.expect(page.locator(".tad-shelf audio")).to_have_count(4, timeout=PATIENCE_MS)
    panel.get_by_label("file name").fill("my bar")
    panel.get_by_label("file name").press("Enter")
    player.named("save-wav").click()
    wav = Path(re.search(r"Saved (.*\.wav)", player.wait_for_message(r"Saved .*my bar\.wav")).group(1))
    heard = samples(player.loop.get_attribute("src"), tmp_path)
    np.testing.assert_allclose(load_audio(wav, None).numpy(), heard, atol=1e-4)
    player.named("save-midi").click()
    midi = Path(re.search(r"Saved (.*\.mid)", player.wait_for_message(r"Saved .*my bar\.mid")).group(1))
    assert mido.MidiFile(midi).length == pytest.approx(240 / Pattern(lucky.bpm).bpm, abs=1e-3)
    for name in ("wav", "midi"):
        with page.expect_download() as download:
            player.named(f"link-{name}").click()
        download.value.save_as(tmp_path / name)
    assert (tmp_path / "midi").read_bytes() == midi.read_bytes()
    assert np.array_equal(samples("," + base64.b64encode((tmp_path / "wav").read_bytes()).decode(), tmp_path), heard)

    # A sound that was made goes into its row; then silence.
    page.locator(".tad-make .tad-pattern").first.click()
    player.wait_for_message("kick, seed 0 plays the row kick")
    player.wait_until_playing()
    player.press_player()
    player.wait_until_playing(False)
