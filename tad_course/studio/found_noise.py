"""The noises from which sounds could have come, sought once and then remembered: a slider then answers much sooner."""

from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor

from tad_course.edit import invert
from tad_course.generate import Settings
from tad_course.studio.desk import Desk

MOST = 8  # sounds remembered; the noise of one takes half a megabyte


class FoundNoise:
    """Does what `invert` does, and remembers what it found last."""

    def __init__(self, desk: Desk):
        self.desk, self.known = desk, OrderedDict()

    def __call__(self, model, audio: Tensor, settings: Settings, on_step: Callable | None = None) -> Tensor:
        key = (self.desk.fingerprint, settings.to_json(), audio.numpy().tobytes())
        if key not in self.known:
            self.known[key] = invert(model, audio, settings, on_step=on_step)
        self.known.move_to_end(key)
        while len(self.known) > MOST:
            self.known.popitem(last=False)
        return self.known[key]
