"""What a model is built from: its settings, and the presets of the course (lessons 05 to 07)."""

import math
from dataclasses import asdict, dataclass, field, fields

from tad_course.drums import LABELS, kinds_of
from tad_course.front_ends import WINDOWS, Identity, LappedTransform, Patching
from tad_course.tiling import TiledTransform

FRONT_ENDS = {"identity": Identity, "patching": Patching, "lapped": LappedTransform, "tiled": TiledTransform}


@dataclass(frozen=True)
class ModelConfig:
    """Everything needed to build a model; stored as JSON beside its weights."""

    name: str = "drums"
    sample_rate: int = 44_100
    length_samples: int = 32_768
    labels: tuple[str, ...] = LABELS  # empty: an unconditional model
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)  # classes of their own that one label stands for
    front_end: str = "lapped"  # identity, patching, learned, lapped or tiled
    window: str = "sine"  # of the lapped and the tiled front end: sine or vorbis
    block_size: int = 64  # samples a frame; the U-Net sees length_samples / block_size frames
    gain_shape: bool = False  # split each sound into gains and shapes, instead of whitening
    components: int = 1  # with gain_shape: so many groups of sounds, each much alike, make a class; a power of two
    projection: int = 0  # so many channels enter and leave the U-Net, by 1 x 1 convolutions; 0: all of them
    whitening_power: float = 0.75  # 0: no whitening, 1: every place equally loud
    wiener: bool = True  # plug a learned Wiener filter around the network
    channels: tuple[int, ...] = (128, 192, 256)
    factors: tuple[int, ...] = (1, 4, 4)
    items: tuple[int, ...] = (1, 1, 1)
    attentions: tuple[int, ...] = (0, 0, 1)
    attention_heads: int = 4
    attention_features: int = 32
    modulation_features: int = 256
    label_features: int = 64
    even_share: float = 0.6  # share of training levels drawn evenly in decibels; 0: all even in t
    min_snr_db: float = -40.0
    max_snr_db: float = 50.0

    def __post_init__(self):
        if self.front_end not in (*FRONT_ENDS, "learned"):
            known = ", ".join((*FRONT_ENDS, "learned"))
            raise ValueError(f"Unknown front end {self.front_end!r}; choose one of {known}.")
        if min(self.block_size, self.length_samples, *self.channels, *self.factors, *self.items) < 1:
            raise ValueError("block_size, length_samples, channels, factors and items must be 1 or more.")
        if self.front_end == "lapped" and self.block_size % 2:
            raise ValueError(f"The lapped transform needs an even block_size, not {self.block_size}.")
        if self.front_end == "tiled" and self.block_size % 256:
            raise ValueError(f"The tiled transform needs a multiple of 256 as block_size, not {self.block_size}.")
        if self.window not in WINDOWS:
            raise ValueError(f"Unknown window {self.window!r}; choose one of {', '.join(WINDOWS)}.")
        if self.gain_shape and not (self.in_bands and self.wiener):
            raise ValueError("gain_shape needs the lapped or the tiled front end, and wiener.")
        if self.kinds and not self.gain_shape:
            raise ValueError("kinds needs gain_shape, whose tables tell them apart.")
        if self.components < 1 or self.components & (self.components - 1):
            raise ValueError(f"components must be a power of two, not {self.components}.")
        if self.components > 1 and not self.gain_shape:
            raise ValueError("components needs gain_shape, whose tables they are.")
        if unknown := set(self.kinds) - set(self.labels):
            raise ValueError(f"kinds are given for {', '.join(sorted(unknown))}, which is none of the labels.")
        if len({len(self.channels), len(self.factors), len(self.items), len(self.attentions)}) != 1:
            raise ValueError("channels, factors, items and attentions must have one entry a level each.")
        step = self.block_size * math.prod(self.factors)
        if self.length_samples % step:
            raise ValueError(f"length_samples {self.length_samples} must be a multiple of {step} for this U-Net.")

    @classmethod
    def from_dict(cls, values: dict) -> "ModelConfig":
        """Build a config from JSON values; unknown keys are an error, missing ones take their default."""
        if not isinstance(values, dict):
            raise ValueError(f"Expected names and values, not {type(values).__name__}.")
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"Unknown settings {', '.join(unknown)}; this version knows {', '.join(sorted(known))}.")
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        if "kinds" in values:
            values["kinds"] = {label: tuple(kinds) for label, kinds in values["kinds"].items()}
        return cls(**values)

    @property
    def in_bands(self) -> bool:
        """Whether the channels behind the front end are bands, whose blocks overlap by half."""
        return self.front_end in ("lapped", "tiled")

    @property
    def kinds_told_apart(self) -> tuple[str, ...]:
        """The classes by name, as sounds are labelled: the labels, those with kinds replaced by them."""
        return tuple(name for label in self.labels for name in self.kinds.get(label, (label,)))

    @property
    def classes(self) -> tuple[str, ...]:
        """What the model tells apart: all components of the first kind, then those of the next."""
        return tuple(name for name in self.kinds_told_apart for _ in range(self.components))

    @property
    def names(self) -> tuple[str, ...]:
        """What can be asked for: the labels, then the kinds."""
        return tuple(dict.fromkeys((*self.labels, *self.kinds_told_apart)))

    def classes_of(self, name: str) -> list[int]:
        """Return the indices of the classes that a label or a kind stands for; none for a name it does not know."""
        names = self.kinds.get(name, (name,))
        return [index for index, each in enumerate(self.classes) if each in names]

    def to_dict(self) -> dict:
        return asdict(self)


# The shipped model (lesson 06).
DRUMS = ModelConfig(
    kinds=kinds_of(LABELS), front_end="tiled", window="vorbis", block_size=1024, gain_shape=True, components=16,
    projection=256, channels=(128, 192, 256), factors=(1, 2, 2), min_snr_db=-45.0,
)  # fmt: skip

# The model this course grows from, by its published numbers (tiny-audio-diffusion, 2023).
REFERENCE = ModelConfig(
    name="reference", labels=(), front_end="identity", block_size=1, whitening_power=0.0, wiener=False,
    channels=(32, 32, 64, 64, 128, 128, 256, 256), factors=(1, 2, 2, 2, 2, 2, 2, 2), items=(2, 2, 2, 2, 2, 2, 4, 4),
    attentions=(0, 0, 0, 0, 0, 1, 1, 1), attention_heads=8, attention_features=64, modulation_features=1024,
    even_share=0.0,
)  # fmt: skip

# Small enough to learn one instrument in five minutes on a laptop (lesson 07).
TINY = ModelConfig(name="tiny", channels=(128, 128, 256))

PRESETS = {"drums": DRUMS, "tiny": TINY, "reference": REFERENCE}
