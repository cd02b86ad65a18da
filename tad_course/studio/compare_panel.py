"""Compare: two sounds, A and B, at one gain; one press switches between them. A panel of the studio."""

from collections.abc import Callable, Iterable
from pathlib import Path

from ipywidgets import HTML, Dropdown, HBox, Layout, VBox

from tad_course.audio.players import safe_gain_db
from tad_course.display.fallback import live_text, player_html
from tad_course.library.sound import Sound
from tad_course.studio.cards import WIDE_PLAYER, button, titled
from tad_course.studio.controls import ROW, Quiet, offer
from tad_course.studio.jobs import Status
from tad_course.studio.session import Session

NONE_YET = "Make or keep a sound first."
SAMPLERS = {
    "dpm_solver_2m": "DPM-Solver++ 2M",
    "ddim": "DDIM",
}


def full_title(sound: Sound) -> str:
    """Return a title in which sounds that differ only in a setting differ: "kick, seed 7 (drums, 8 steps, DDIM)"."""
    given = sound.settings
    parts = [
        Path(given.model).name,
        f"{given.num_steps} step{'s' * (given.num_steps != 1)}",
        SAMPLERS.get(given.sampler, given.sampler),
    ]
    if given.guidance_scale != 1:
        parts.append(f"guidance {given.guidance_scale:g}")
    return f"{sound.title} ({', '.join(parts)})"


def named(made: Iterable[Sound], kept: Iterable[tuple[str, Sound]]) -> dict[str, Sound]:
    """Return what can be compared, by names that differ: sounds `made`, the newest first, then `kept` ones by name."""
    names = {}
    for sound in made:
        names.setdefault(f"made: {full_title(sound)}", sound)
    return names | {f"kept {number}: {name}": sound for number, (name, sound) in enumerate(kept, 1)}


class ComparePanel:
    """A and B are chosen among the sounds made last and those on the shelf; `playing` is the one that is played.

    Until somebody chooses, they are the two newest. Nothing is drawn before it is played, so that this panel costs
    nothing while sounds are made.
    """

    def __init__(self, session: Session, sounds: Callable[[], dict[str, Sound]], keep: Callable[[Sound], None]):
        """`sounds` returns what can be chosen, name -> sound; `keep` puts one on the shelf."""
        self.session, self.sounds, self.keep, self.status = session, sounds, keep, Status(session.worker)
        self.playing, self.chosen_by_hand = "", False
        self.a, self.b = (Dropdown(description=name, layout=Layout(width="400px")) for name in "AB")
        self.switch = button("Hear A", "Play the other one, at the same gain", "exchange", "tad-switch")
        self.switch.button_style = "primary"
        self.keep_it = button("Keep", "Put the one that is heard on the shelf", "heart", "tad-keep")
        self.note, self.player = live_text(), HTML(layout=Layout(width="398px"))
        self.quiet = Quiet([self.a, self.b], self._choose)
        self.switch.on_click(lambda _: self.press())
        self.keep_it.on_click(lambda _: self._keep())
        row = HBox([self.switch, self.keep_it, self.note], layout=ROW)
        self.box = VBox([HBox([self.a, self.b], layout=ROW), row, self.player, self.status.box])
        self.box.add_class("tad-compare")
        self.refresh()

    def refresh(self) -> None:
        """Offer what can be chosen now; a choice made by hand stays while its sound is there."""
        before, names = self.pair(), list(self.sounds())
        with self.quiet:
            for box, index in ((self.a, 0), (self.b, 1)):
                now = box.value if self.chosen_by_hand else None
                offer(box, names, now if now in names else names[min(index, len(names) - 1)] if names else None)
        if not self.playing or self.pair() != before:
            self._silence()

    def press(self) -> None:
        """Switch to the other sound and play it."""
        if self.pair():
            self.playing = "B" if self.playing == "A" else "A"
            self._show()

    def pair(self) -> dict[str, Sound]:
        """Return A and B, or nothing if there is no sound at all."""
        sounds = self.sounds()
        pair = {"A": sounds.get(self.a.value), "B": sounds.get(self.b.value)}
        return {} if None in pair.values() else pair

    def _choose(self) -> None:
        self.chosen_by_hand = True
        self._silence()

    def _silence(self) -> None:
        self.playing, self.player.value, self.switch.description = "", "", "Hear A"
        self.switch.disabled, self.keep_it.disabled = not self.pair(), True
        self._note("Press to hear A, and again to switch to B." if self.pair() else NONE_YET)

    def _show(self) -> None:
        pair = self.pair()
        gain_db = safe_gain_db([sound.audio for sound in pair.values()])
        sound = pair[self.playing]
        title = f"{self.playing}: {full_title(sound)}"
        player = player_html(sound.audio * 10 ** (gain_db / 20), title, f"autoplay {WIDE_PLAYER}")
        self.player.value = titled(title) + player + self.session.picture.html(sound.audio, title)
        self.switch.description = f"Switch to {'B' if self.playing == 'A' else 'A'}"
        self.keep_it.disabled = False
        self._note(f"{self.playing} is heard, both at {gain_db:+.1f} dB.")

    def _note(self, text: str) -> None:
        self.note.value = f'<span role="status">{text}</span>'

    def _keep(self) -> None:
        if self.playing and self.pair():
            self.keep(self.pair()[self.playing])
