"""A card for each sound: its name, a player, waveform over mel spectrogram, and buttons."""

import html
from collections import deque
from collections.abc import Callable, Sequence

from ipywidgets import HTML, Button, HBox, Layout, VBox, Widget
from torch import Tensor

from tad_course.audio.players import safe_gain_db
from tad_course.display.fallback import player_html
from tad_course.library.sound import Sound
from tad_course.studio.session import Session

REMEMBERED = 16  # sounds made last that stay in memory; more cards than that are never shown at once


WIDE_PLAYER = 'style="width:100%;height:40px"'


def players_html(sounds: dict[str, Tensor], at_once: bool = False, attributes: str = WIDE_PLAYER) -> list[str]:
    """Return a player for each sound, all at one gain; the first starts `at_once`."""
    gain = 10 ** (safe_gain_db(list(sounds.values())) / 20)
    first = f"autoplay {attributes}" if at_once else attributes
    return [
        player_html(audio * gain, title, attributes if index else first)
        for index, (title, audio) in enumerate(sounds.items())
    ]


def titled(text: str) -> str:
    """Return `text` as the heading of a card."""
    return f'<div style="font-weight:600;line-height:1.4">{html.escape(text)}</div>'


def button(text: str, tooltip: str, icon: str = "", style_class: str = "", width: str = "auto") -> Button:
    """Return a button whose tooltip, which screen readers also read, has more words than its text."""
    made = Button(description=text, tooltip=tooltip, icon=icon, layout=Layout(width=width))
    if style_class:
        made.add_class(style_class)
    return made


def card(title: str, player: str, picture: str = "", buttons: Sequence[Button] = ()) -> VBox:
    """Return one card as a widget: what is heard, what is seen, and buttons."""
    layout = Layout(
        border="1px solid #c8c8c8", padding="8px 10px", margin="0 10px 10px 0", width="398px", max_width="100%"
    )
    return VBox([HTML(titled(title) + player), HTML(picture), HBox(list(buttons))], layout=layout)


Actions = dict[str, tuple[str, str, Callable[[Sound], None]]]  # text of a button -> tooltip, icon, what it does


class Card:
    """A card that shows one sound after another, with buttons that act on the present one. `box` is the widget.

    `show_player` brings a sound to the page with one message; its picture follows with `show_picture`.
    """

    def __init__(self, sound: Sound, player: str, actions: Actions):
        self.sound, self.tooltips, self.takes = sound, [tooltip for tooltip, _, _ in actions.values()], 1
        buttons = [self._button(text, icon, act) for text, (_, icon, act) in actions.items()]
        self.box = card(sound.title, player, buttons=buttons)

    def show_player(self, sound: Sound, player: str) -> None:
        """Show another sound in `player`."""
        self.sound, self.takes = sound, self.takes + 1
        # Numbered, for a page does not play what has not changed, and the same sound may be wanted again.
        self.box.children[0].value = f'{titled(sound.title)}<div data-take="{self.takes}">{player}</div>'

    def show_picture(self, picture: str) -> None:
        """Show the picture of the sound, and name the sound in the tooltips."""
        _, seen, buttons = self.box.children
        seen.value = picture
        for made, tooltip in zip(buttons.children, self.tooltips, strict=True):
            made.tooltip = f"{tooltip}: {self.sound.title}"

    def _button(self, text: str, icon: str, act: Callable[[Sound], None]) -> Button:
        made = button(text, "", icon, f"tad-{text.split()[0].lower()}")
        made.on_click(lambda _: act(self.sound))
        return made


class Cards:
    """The sounds made last, as a grid of cards. `box` is the widget.

    `sounds` are those that are shown, at most 16; `recent` are the last 16 made, newest first. Cards that give way to
    others leave the memory of kernel and browser.
    """

    def __init__(self, session: Session, actions: Actions):
        self.session, self.actions = session, actions
        self.cards: list[Card] = []
        self.recent: deque[Sound] = deque(maxlen=REMEMBERED)
        self.changed: Callable[[], None] = lambda: None  # is called when another sound is there
        self.box = HBox(layout=Layout(flex_flow="row wrap", align_items="flex-start"))
        self.box.add_class("tad-cards")

    @property
    def sounds(self) -> list[Sound]:
        """The sounds that are shown."""
        return [each.sound for each in self.cards]

    def show(self, sound: Sound, after: bool = False, at_once: bool = False) -> None:
        """Show a sound in place of those that are there, or `after` them; `at_once` starts its player."""
        (player,) = players_html({sound.title: sound.audio}, at_once)
        if after or not self.cards:
            self._keep([*self.cards, Card(sound, player, self.actions)][-REMEMBERED:])
        else:  # the card that is there is a quicker way to the page than a new one
            self.cards[0].show_player(sound, player)
            self._keep(self.cards[:1])
        self.recent.appendleft(sound)
        self.cards[-1].show_picture(self.session.picture.html(sound.audio, sound.title))
        self.changed()

    def _keep(self, cards: list[Card]) -> None:
        old, self.cards = self.cards, cards
        if cards != old:
            self.box.children = [each.box for each in cards]
            close_all([each.box for each in old if each not in cards])


def close_all(widgets: Sequence[Widget]) -> None:
    """Free the memory of widgets that are no longer shown, in the kernel and in the browser."""
    for widget in widgets:
        close_all(getattr(widget, "children", ()))
        for part in ("layout", "style"):
            if hasattr(widget, part):
                getattr(widget, part).close()
        widget.close()
