"""Models on disk: a folder with `model.safetensors` (weights) and `config.json` (readable), nothing pickled."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from tad_course.model import DrumModel, ModelConfig

SHIPPED = Path(__file__).parent / "models"
KEPT_BYTES = 30_000_000  # asked for once and given back untouched: 3,500 page faults a sound less
WEIGHTS, CONFIG = "model.safetensors", "config.json"
# models of one instrument: the name stands for `drums` with only that label
INSTRUMENTS = {"kicks": "kick", "snares": "snare", "hihats": "hihat", "percussion": "percussion"}


class CheckpointError(ValueError):
    """A model could not be loaded; the message names the file, what is wrong and what to do."""


def shipped_models() -> list[str]:
    """Return the names of the models that come with the package: each folder's, and those of one instrument."""
    folders = sorted(path.parent.name for path in SHIPPED.glob(f"*/{WEIGHTS}"))
    return folders + (list(INSTRUMENTS) if "drums" in folders else [])


def save_model(model: DrumModel, folder: Path, dtype: torch.dtype | None = None) -> Path:
    """Write `model` into `folder`, each file first beside its place and then renamed into it.

    Args:
        model: the model to write.
        folder: made if missing; an earlier model in it is replaced.
        dtype: store the weights as this type, `torch.float16` halves their size. How loud sounds are stays float32.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in _own_state(model).items()}
    if dtype:
        weights = {name: x if _is_exact(name) else x.to(dtype) for name, x in weights.items()}
    with replacing(folder / WEIGHTS) as temporary:
        save_file(weights, temporary)
    with replacing(folder / CONFIG) as temporary:
        temporary.write_text(json.dumps(model.config.to_dict(), indent=2) + "\n", encoding="utf-8")
    return folder


def _is_exact(name: str) -> bool:
    """Return whether half the digits of this tensor would be heard: those of how loud sounds are, but not in logs."""
    return name in ("whitening.scale", "whitening.size", "whitening.variance")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a name beside `path` to write to; it takes the place of `path` when all went well, and else vanishes."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_model(name_or_path: str | Path = "drums", device: str | torch.device = "cpu") -> DrumModel:
    """Load a shipped model by name, or any model by its folder or its `.safetensors` file, ready to generate.

    Raises:
        CheckpointError: if there is no such model, a file is missing or damaged, or weights and config disagree.
    """
    if name_or_path in INSTRUMENTS and not Path(name_or_path).is_dir():
        return load_model("drums", device).only(INSTRUMENTS[name_or_path], name=name_or_path)
    folder = _find(name_or_path)
    weights, config = folder / WEIGHTS, folder / CONFIG
    try:
        model = DrumModel(ModelConfig.from_dict(json.loads(config.read_text(encoding="utf-8"))))
    except (ValueError, TypeError, RuntimeError, AssertionError) as error:  # the last two from the U-Net's layers
        raise CheckpointError(f"{config}: not the settings of a model of this course. {error}") from error
    try:
        _fill(_own_state(model), weights)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{weights}: damaged or cut short ({error}). Copy or save the model again.") from error
    torch.empty(KEPT_BYTES, dtype=torch.uint8)  # once freed, glibc keeps what one sound needs for the next
    return model.to(device).eval()


def rename(model: DrumModel, name: str) -> DrumModel:
    """Give a model another name in its config."""
    model.config = replace(model.config, name=name)
    return model


def _find(name_or_path: str | Path) -> Path:
    if str(name_or_path) in shipped_models():
        return SHIPPED / str(name_or_path)
    path = Path(name_or_path).expanduser()
    folder = path.parent if path.name == WEIGHTS else path
    if path.is_file() and path.name != WEIGHTS:
        raise CheckpointError(f"{path}: a model is a folder with {WEIGHTS} and {CONFIG} in it; give that folder.")
    missing = [name for name in (WEIGHTS, CONFIG) if not (folder / name).is_file()]
    if missing:
        shipped = ", ".join(shipped_models()) or "none in this installation"
        raise CheckpointError(
            f"{folder}: no model here ({' and '.join(missing)} missing). Shipped models: {shipped}; "
            "or give the folder that `tad-course train` wrote."
        )
    return folder


def _own_state(model: DrumModel) -> dict[str, torch.Tensor]:
    """Return each weight and stored buffer once; the library keeps several references to some of them."""
    stored = model.state_dict().keys()
    return dict(model.named_parameters()) | {n: b for n, b in model.named_buffers() if n in stored}


@torch.no_grad()
def _fill(state: dict[str, torch.Tensor], file: Path) -> None:
    """Read the weights of `file` into the tensors of `state`, one at a time, so that no second model is in memory."""
    with safe_open(file, framework="pt", device="cpu") as stored:
        shapes = {name: stored.get_slice(name).get_shape() for name in stored.keys()}  # noqa: SIM118 (no mapping)
        _check_fit(shapes, state, file)
        for name, tensor in state.items():
            tensor.copy_(stored.get_tensor(name))


def _check_fit(found: dict[str, list[int]], expected: dict[str, torch.Tensor], file: Path) -> None:
    wrong = sorted(set(found) ^ set(expected))
    wrong += [name for name in expected if name in found and found[name] != list(expected[name].shape)]
    if wrong:
        raise CheckpointError(
            f"{file}: the weights do not fit the settings in {CONFIG} ({len(wrong)} tensors differ, the first is "
            f"{wrong[0]}). The two files belong to different models; copy both from the same folder."
        )
