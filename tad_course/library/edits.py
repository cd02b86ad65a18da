"""Edits by their name: the one table of the functions that make each kind (the studio, `generate --from`)."""

from collections.abc import Sequence

from torch import Tensor

from tad_course.edit import OnStep, Seek, inpaint, morph, morph_sounds, restyle, vary, vary_sound
from tad_course.generate import Model, Settings
from tad_course.library.sound import Sound, Source

# What each kind of edit needs besides the settings, and out of how many sounds it is made.
NUMBERS = {
    "restyle": ("strength",),
    "repaint": ("start_s", "stop_s", "turns"),
    "morph": ("amount",),
    "vary": ("amount",),
}
SOURCES = {"restyle": 1, "repaint": 1, "morph": 2, "vary": 1}


def edit_by_name(
    model: Model, kind: str, sources: Sequence[Source], settings: Settings, *,
    seek: Seek | None = None, on_step: OnStep | None = None, **numbers: float,
) -> Sound:  # fmt: skip
    """Make one sound out of others; it carries all that is needed to make it again.

    Args:
        model: that of the settings.
        kind: "restyle", "repaint", "morph" or "vary".
        sources: one sound; two for a morph. Where all have settings, a morph or a variation starts from their noises.
        settings: label, seed, sampler and so on. Their number of steps is taken as it is, so an inversion should
            have been given enough of them (`with_enough_steps`).
        seek: finds the noise of a sound, by default `invert`.
        on_step: gets the number of network evaluations done and their total; may raise to stop.
        **numbers: what `NUMBERS` names for this kind.

    Raises:
        ValueError: if the kind, a number or the number of sources is not right, or the function refuses the sound.
    """
    check_edit(kind, len(sources), numbers)
    audio = _EDITS[kind](model, sources, settings, numbers, {"seek": seek, "on_step": on_step})
    first, *others = sources
    if kind == "restyle":
        return Sound(audio, settings, first.name, numbers["strength"], kind, sources=tuple(sources))
    details = {"second": others[0].name} if others else {}
    return Sound(audio, settings, first.name, kind=kind, details=details | numbers, sources=tuple(sources))


def check_edit(kind: str, count: int, numbers: dict) -> None:
    """Refuse, with a ValueError, a kind that is not known or that needs other sources or numbers than these."""
    if kind not in NUMBERS:
        raise ValueError(f"No way to edit a sound is called {kind!r}; there are {', '.join(NUMBERS)}.")
    if count != SOURCES[kind]:
        raise ValueError(f"A sound of the kind {kind!r} is made out of {SOURCES[kind]}, not out of {count}.")
    for name in NUMBERS[kind]:
        value = numbers.get(name)
        known = type(value) is int or type(value) is float and name != "turns"
        if not known or not abs(value) < 1e6 or name == "turns" and value < 1:
            raise ValueError(f"A sound of the kind {kind!r} needs a number {name!r}, not {value!r}.")


def _restyle(model, sources, settings, numbers, more) -> Tensor:
    return restyle(model, sources[0].audio, settings, numbers["strength"], on_step=more["on_step"])


def _repaint(model, sources, settings, numbers, more) -> Tensor:
    return inpaint(model, sources[0].audio, settings, **numbers, on_step=more["on_step"])


def _morph(model, sources, settings, numbers, more) -> Tensor:
    amount, (first, second) = numbers["amount"], sources
    if first.settings and second.settings:
        return morph(model, first.settings, second.settings, amount, on_step=more["on_step"])
    pair = (first.audio, first.label), (second.audio, second.label)
    return morph_sounds(model, *pair, settings, amount, least_steps=settings.num_steps, **more)


def _vary(model, sources, settings, numbers, more) -> Tensor:
    amount, (source,) = numbers["amount"], sources
    if source.settings:
        return vary(model, source.settings, amount, settings.seed, on_step=more["on_step"])
    return vary_sound(model, source.audio, settings, amount, least_steps=settings.num_steps, **more)


_EDITS = {"restyle": _restyle, "repaint": _repaint, "morph": _morph, "vary": _vary}
