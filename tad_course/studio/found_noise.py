"""The noises from which sounds could have come, searched for once and then remembered, so that a slider is quicker."""

from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor

from tad_course.edit import invert
from tad_course.generate import Settings
from tad_course.studio.session import Session

MOST = 8  # sounds remembered; the noise of one takes half a megabyte


class FoundNoise:
    """Does what `invert` does, and remembers what it found last."""

    def __init__(self, session: Session):
        self.session, self.known = session, OrderedDict()

    def __call__(self, model, audio: Tensor, settings: Settings, on_step: Callable | None = None) -> Tensor:
        key = (self.session.fingerprint, settings.to_json(), audio.numpy().tobytes())
        if key not in self.known:
            self.known[key] = invert(model, audio, settings, on_step=on_step)
        self.known.move_to_end(key)
        while len(self.known) > MOST:
            self.known.popitem(last=False)
        return self.known[key]
