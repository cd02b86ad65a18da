"""Models on disk: a folder with `model.safetensors` (weights) and `config.json` (readable), nothing pickled.

A kit is a folder with a `config.json` alone, which names a model for each label; they lie beside it.
"""

import json
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from tad_course.config import ModelConfig
from tad_course.files import replacing
from tad_course.model.network import AudioDiffusion, DrumKit

SHIPPED = Path(__file__).parent.parent / "models"
WEIGHTS, CONFIG = "model.safetensors", "config.json"


class CheckpointError(ValueError):
    """A model could not be loaded; the message names the file, what is wrong and what to do."""


def shipped_models() -> list[str]:
    """Return the names of the models that come with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{CONFIG}"))


def save_model(model: AudioDiffusion, folder: Path, dtype: torch.dtype | None = None) -> Path:
    """Write `model` into `folder`, each file first beside its place and then renamed into it.

    Args:
        model: the model to write.
        folder: made if missing; an earlier model in it is replaced.
        dtype: store the weights as this type, `torch.float16` halves their size.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous().to(dtype) for name, tensor in _own_state(model).items()}
    with replacing(folder / WEIGHTS) as temporary:
        save_file(weights, temporary)
    with replacing(folder / CONFIG) as temporary:
        temporary.write_text(json.dumps(model.config.to_dict(), indent=2) + "\n", encoding="utf-8")
    return folder


def load_model(name_or_path: str | Path = "drums", device: str | torch.device = "cpu") -> AudioDiffusion | DrumKit:
    """Load a shipped model by name, or any model by its folder or its `.safetensors` file, ready to generate.

    Raises:
        CheckpointError: if there is no such model, a file is missing or damaged, or weights and config disagree.
    """
    folder = _find(name_or_path)
    weights, config = folder / WEIGHTS, folder / CONFIG
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
        if isinstance(settings, dict) and "models" in settings:
            return _load_kit(settings, folder).to(device).eval()
        model = AudioDiffusion(ModelConfig.from_dict(settings))
    except CheckpointError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, AssertionError) as error:
        raise CheckpointError(f"{config}: not the settings of a model of this course. {error}") from error
    if not weights.is_file():
        raise CheckpointError(f"{folder}: no model here ({WEIGHTS} missing). Copy both files from the same folder.")
    try:
        _fill(_own_state(model), weights)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{weights}: damaged or cut short ({error}). Copy or save the model again.") from error
    return model.to(device).eval()


def rename(model: AudioDiffusion, name: str) -> AudioDiffusion:
    """Give a model another name in its config."""
    model.config = replace(model.config, name=name)
    return model


def _load_kit(settings: dict, folder: Path) -> DrumKit:
    """Load the models of a kit `{"name": …, "models": {label: name of a folder beside this one}}`."""
    for name in settings["models"].values():
        if Path(name).name != name or name in ("", ".", ".."):
            raise CheckpointError(f"{folder / CONFIG}: {name!r} is not the name of a folder beside this one.")
    models = {label: load_model(folder.parent / name) for label, name in settings["models"].items()}
    return DrumKit(str(settings["name"]), models)


def _find(name_or_path: str | Path) -> Path:
    if str(name_or_path) in shipped_models():
        return SHIPPED / str(name_or_path)
    path = Path(name_or_path).expanduser()
    folder = path.parent if path.name == WEIGHTS else path
    if path.is_file() and path.name != WEIGHTS:
        raise CheckpointError(f"{path}: a model is a folder with {WEIGHTS} and {CONFIG} in it; give that folder.")
    if not (folder / CONFIG).is_file():
        missing = [name for name in (WEIGHTS, CONFIG) if not (folder / name).is_file()]
        raise CheckpointError(
            f"{folder}: no model here ({' and '.join(missing)} missing). Shipped models: "
            f"{', '.join(shipped_models())}; or give the folder that `tad-course train` wrote."
        )
    return folder


def _own_state(model: AudioDiffusion) -> dict[str, torch.Tensor]:
    """Return each weight once; the library keeps several references to some of them."""
    return dict(model.named_parameters())


@torch.no_grad()
def _fill(state: dict[str, torch.Tensor], file: Path) -> None:
    """Read the weights of `file` into the tensors of `state`, one at a time, so that no second model is in memory."""
    with safe_open(file, framework="pt", device="cpu") as stored:
        shapes = {name: stored.get_slice(name).get_shape() for name in stored.keys()}  # noqa: SIM118 (no mapping)
        wrong = sorted(set(shapes) ^ set(state))
        wrong += [name for name in state if name in shapes and shapes[name] != list(state[name].shape)]
        if wrong:
            raise CheckpointError(
                f"{file}: the weights do not fit the settings in {CONFIG} ({len(wrong)} tensors differ, the first is "
                f"{wrong[0]}). The two files belong to different models; copy both from the same folder."
            )
        for name, tensor in state.items():
            tensor.copy_(stored.get_tensor(name))
