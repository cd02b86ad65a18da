"""What the panels of a studio share: the model in use, one worker, one picture, random numbers."""

import random

from tad_course.display.plots import SAMPLE_RATE
from tad_course.generate import choices, fingerprint
from tad_course.model.checkpoint import CheckpointError, load_model
from tad_course.model.network import AudioDiffusion
from tad_course.studio.jobs import Worker
from tad_course.studio.mel_picture import SoundPicture

HIGHEST_SEED = 99_999  # short enough to be read out and written down


class Session:
    """The model in use (`load` changes it), and the tools that all panels work with."""

    def __init__(self, model: str = "drums", rng: random.Random | None = None):
        self.worker, self.rng = Worker(), rng or random.Random()
        self.load(model)

    def load(self, name: str) -> None:
        """Use another model: a shipped one by name, or the folder of your own.

        Raises:
            CheckpointError: if it cannot be loaded or does not fit the studio; the model in use stays.
        """
        model = load_model(name)
        if model.config.sample_rate != SAMPLE_RATE:
            raise CheckpointError(
                f"{name}: makes sounds of {model.config.sample_rate} Hz; the studio plays {SAMPLE_RATE}."
            )
        self.model, self.name, self.fingerprint = model, str(name), fingerprint(model)
        self.picture = SoundPicture(model.config.length_samples)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the model can make: each of its labels, groups of them, or any."""
        return tuple(choices(self.model))

    @property
    def guided(self) -> bool:
        """Whether guidance has an effect: only a network that knows several labels has a prediction for any of them."""
        return isinstance(self.model, AudioDiffusion) and len(self.model.config.labels) > 1

    def roll(self) -> int:
        """Return a seed that nobody chose."""
        return self.rng.randint(0, HIGHEST_SEED)
