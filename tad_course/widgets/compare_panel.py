"""Compare: two sounds, A and B, at one gain; one press switches between them. A panel of the studio."""

from collections.abc import Callable

from ipywidgets import HTML, Dropdown, HBox, Layout, VBox

from tad_course.kept import Sound
from tad_course.players import safe_gain_db
from tad_course.widgets.cards import button, titled
from tad_course.widgets.controls import ROW, Quiet
from tad_course.widgets.desk import Desk
from tad_course.widgets.fallback import player_html
from tad_course.widgets.jobs import Status
from tad_course.widgets.mel_picture import SoundPicture

NONE_YET = "Make or keep a sound first."


class ComparePanel:
    """A and B are chosen among the sounds made last and those on the shelf; `heard` tells which one plays."""

    def __init__(self, desk: Desk, sounds: Callable[[], dict[str, Sound]], keep: Callable[[Sound], None]):
        """`sounds` tells what can be chosen, name -> sound; `keep` puts one on the shelf."""
        self.desk, self.sounds, self.keep, self.status = desk, sounds, keep, Status(desk.worker)
        self.heard, self.gain_db = "A", 0.0
        self.a, self.b = (Dropdown(description=name, layout=Layout(width="400px")) for name in "AB")
        self.switch = button("Switch to B", "Play the other one, at the same gain", "exchange", "tad-switch")
        self.switch.button_style = "primary"
        self.keep_it = button("Keep", "Put the one that is heard on the shelf", "heart", "tad-keep")
        self.note, self.player = HTML(), HTML(layout=Layout(width="398px"))
        self.quiet = Quiet([self.a, self.b], lambda: self._show(at_once=True))
        self.switch.on_click(lambda _: self.press())
        self.keep_it.on_click(lambda _: self._keep())
        row = HBox([self.switch, self.keep_it, self.note], layout=ROW)
        self.box = VBox([HBox([self.a, self.b], layout=ROW), row, self.player, self.status.box])
        self.box.add_class("tad-compare")
        self.refresh()

    def refresh(self) -> None:
        """Offer what can be chosen now; a choice stays while its sound is there."""
        names = list(self.sounds())
        with self.quiet:
            for box, place in ((self.a, 0), (self.b, 1)):
                now = box.value
                if box.options != tuple(names):
                    box.options = names
                box.value = now if now in names else names[min(place, len(names) - 1)] if names else None
        self._show()

    def press(self) -> None:
        """Switch to the other sound and play it."""
        self.heard = "B" if self.heard == "A" else "A"
        self._show(at_once=True)

    def chosen(self) -> dict[str, Sound]:
        """Return A and B, or nothing if there is no sound at all."""
        sounds = self.sounds()
        pair = {"A": sounds.get(self.a.value), "B": sounds.get(self.b.value)}
        return {} if None in pair.values() else pair

    def _show(self, at_once: bool = False) -> None:
        pair = self.chosen()
        self.switch.disabled = self.keep_it.disabled = not pair
        self.switch.description = f"Switch to {'B' if self.heard == 'A' else 'A'}"
        if not pair:
            self.note.value, self.player.value = NONE_YET, ""
            return
        self.gain_db = safe_gain_db([sound.audio for sound in pair.values()])
        self.note.value = f'<span role="status">{self.heard} is heard, both at {self.gain_db:+.1f} dB</span>'
        sound = pair[self.heard]
        title = f"{self.heard}: {sound.title}"
        picture: SoundPicture = self.desk.picture
        audio = sound.audio * 10 ** (self.gain_db / 20)
        player = player_html(audio, title).replace("<audio ", '<audio style="width:100%;height:40px" ', 1)
        if at_once:
            player = player.replace("<audio ", "<audio autoplay ", 1)
        self.player.value = titled(title) + player + picture.html(sound.audio, title)

    def _keep(self) -> None:
        pair = self.chosen()
        if pair:
            self.keep(pair[self.heard])
