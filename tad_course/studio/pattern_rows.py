"""The grid of the panel *Play*: for each drum a sound, a mute, and sixteen steps to press.

How loud a step is shows as the height of its filling and as a sign, `-`, `x` or `X`; its tooltip, which screen readers
also read, has it in words.
"""

from collections.abc import Callable

from ipywidgets import HTML, Button, ButtonStyle, Dropdown, HBox, Layout, ToggleButton, VBox

from tad_course.drums.pattern import ACCENT, LEVEL_NAMES, MEDIUM, OFF, SOFT, STEPS, STEPS_A_BEAT, Pattern

NEXT_LEVEL = {OFF: MEDIUM, MEDIUM: ACCENT, ACCENT: SOFT, SOFT: OFF}  # one press makes a plain stroke
COUNT = [sign for beat in "1234" for sign in (beat, "e", "&", "a")]  # as musicians count sixteenths
HEAD_PX, STEP_PX = 286, 34

_INK = "var(--jp-ui-font-color1,#212121)"
_LINE = "var(--jp-border-color1,#bdbdbd)"
CSS = f"""<style>
.tad-play .tad-about {{ padding: 0 12px; line-height: 1.6; }}
.tad-play .tad-about a {{ color: inherit; text-decoration: underline; }}
.tad-play .tad-grid {{ overflow-x: auto; padding: 2px 0 8px; }}
.tad-play .tad-row {{ align-items: center; overflow: visible; flex: none; }}
.tad-play .tad-head {{ flex: none; width: {HEAD_PX}px; }}
.tad-play .tad-beat {{ flex: none; padding: 3px 4px; overflow: visible; }}
.tad-play .tad-beat-1, .tad-play .tad-beat-3 {{ background: var(--jp-layout-color2,#eee); border-radius: 8px; }}
.tad-play .tad-step {{ position: relative; width: {STEP_PX}px; min-width: {STEP_PX}px; height: 36px; margin: 2px;
  padding: 0; border: 1px solid {_LINE}; border-radius: 6px; box-shadow: none; color: {_INK};
  font: 700 16px/34px ui-monospace,monospace; background: var(--jp-layout-color1,#fff); }}
.tad-play .tad-step:hover {{ border-color: {_INK}; box-shadow: none; }}
.tad-play .tad-step:focus-visible {{ outline: 3px solid #0072B2; outline-offset: 1px; }}
.tad-play .tad-step::before {{ content: "·"; content: "·" / ""; opacity: .45; }}
.tad-play .tad-level-1 {{ background: linear-gradient(to top, #9CCFEA 30%, var(--jp-layout-color1,#fff) 30%); }}
.tad-play .tad-level-2 {{ background: linear-gradient(to top, #56B4E9 62%, var(--jp-layout-color1,#fff) 62%); }}
.tad-play .tad-level-3 {{ background: #005B8E; color: #fff; border-color: #005B8E; }}
.tad-play .tad-level-1::before {{ content: "-"; content: "-" / ""; opacity: 1; }}
.tad-play .tad-level-2::before {{ content: "x"; content: "x" / ""; opacity: 1; }}
.tad-play .tad-level-3::before {{ content: "X"; content: "X" / ""; opacity: 1; }}
.tad-play .tad-mute {{ padding: 0; white-space: nowrap; }}
.tad-play .tad-mute::before {{ font: 900 16px FontAwesome,"Font Awesome 5 Free"; font-synthesis: none;
  content: "\\f028"; content: "\\f028" / ""; }}
.tad-play .tad-muted .tad-mute::before {{ content: "\\f026"; content: "\\f026" / ""; }}
.tad-play .tad-muted .tad-step {{ opacity: .4; }}
.tad-play .tad-count {{ display: flex; margin-left: {HEAD_PX}px; font: 12px/20px system-ui,sans-serif; }}
.tad-play .tad-count span {{ box-sizing: border-box; width: {STEP_PX}px; margin: 0 2px; text-align: center;
  border-bottom: 3px solid transparent; opacity: .7; }}
.tad-play .tad-count i {{ width: 8px; }} .tad-play .tad-count i:first-child {{ width: 4px; }}
.tad-play .tad-count .tad-one {{ font-weight: 700; opacity: 1; }}
{
    "".join(
        f'.tad-play[data-now="{k}"] .tad-col-{k} {{ border-color: #D55E00; box-shadow: inset 0 0 0 2px #D55E00; }}'
        f'.tad-play[data-now="{k}"] .tad-count-{k} {{ border-color: #D55E00; opacity: 1; }}'
        for k in range(STEPS)
    )
}
</style>"""


def count_html() -> str:
    """Return the line above the steps: 1 e & a 2 e & a …"""
    cells = []
    for step, sign in enumerate(COUNT):
        one = " tad-one" if step % STEPS_A_BEAT == 0 else ""
        gap = "<i></i>" if step % STEPS_A_BEAT == 0 else ""
        cells.append(f'{gap}<span class="tad-count-{step}{one}">{sign.replace("&", "&amp;")}</span>')
    return f'<div class="tad-count" aria-hidden="true">{"".join(cells)}</div>'


def still_html(pattern: Pattern) -> str:
    """Return a pattern as text in HTML, for where no widget can run."""
    rows = [(label, pattern.signs(label)) for label in pattern.levels]
    beats = [f"{label:<12}{'  '.join(' '.join(row[k : k + 4]) for k in range(0, STEPS, 4))}" for label, row in rows]
    return "<pre>" + "\n".join([" " * 12 + "  ".join(f"{b} e &amp; a" for b in "1234"), *beats]) + "</pre>"


class Row:
    """One drum: which sound, whether it is heard, and its steps. `box` is the widget."""

    def __init__(self, label: str, style: tuple[Layout, ButtonStyle], press: Callable[[int], None]):
        """`style` is shared by all steps of the grid; `press(step)` is called when one of them is pressed."""
        self.label, self.levels = label, [OFF] * STEPS
        self.sound = Dropdown(description=label, layout=Layout(width="244px"), style={"description_width": "76px"})
        self.mute = ToggleButton(layout=Layout(width="36px"))
        self.steps = [self._step(k, style, press) for k in range(STEPS)]
        self.sound.add_class("tad-sound")
        self.mute.add_class("tad-mute")
        head = HBox([self.sound, self.mute])
        beats = [HBox(self.steps[k : k + STEPS_A_BEAT]) for k in range(0, STEPS, STEPS_A_BEAT)]
        self.box = HBox([head, *beats])
        for box, name in ((head, "tad-head"), (self.box, "tad-row"), *((beat, "tad-beat") for beat in beats)):
            box.add_class(name)
        for number, beat in enumerate(beats):
            beat.add_class(f"tad-beat-{number}")
        self.show([OFF] * STEPS, muted=False)

    def _step(self, step: int, style: tuple[Layout, ButtonStyle], press: Callable[[int], None]) -> Button:
        made = Button(tooltip=self._words(step, OFF), layout=style[0], style=style[1])
        for name in ("tad-step", f"tad-col-{step}", "tad-level-0"):
            made.add_class(name)
        made.on_click(lambda _: press(step))
        return made

    def _words(self, step: int, level: int) -> str:
        return f"{self.label}, step {step + 1}, {LEVEL_NAMES[level]}"

    def show(self, levels, muted: bool) -> None:
        """Show the levels of the row and whether it is muted; only what has changed is sent to the browser."""
        for step, (old, new) in enumerate(zip(self.levels, levels, strict=True)):
            if old != new:
                made = self.steps[step]
                made.remove_class(f"tad-level-{old}").add_class(f"tad-level-{new}")
                made.tooltip = self._words(step, new)
        self.levels, self.mute.value = list(levels), muted
        self.mute.tooltip = f"{self.label} is muted: press to hear it" if muted else f"Mute {self.label}"
        (self.box.add_class if muted else self.box.remove_class)("tad-muted")


def grid(rows: list[Row]) -> VBox:
    """Return the rows below the line to count by."""
    made = VBox([HTML(CSS + count_html()), *(row.box for row in rows)])
    made.add_class("tad-grid")
    return made


def step_style() -> tuple[Layout, ButtonStyle]:
    """Return what all steps share: sixty-four layouts and styles would be slow to send."""
    return Layout(), ButtonStyle()
