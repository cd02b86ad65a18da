"""The command line `tad-course`: check the machine, make sounds, train, without opening a notebook."""

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path

from tad_course import __version__
from tad_course.config import TrainConfig

SAMPLERS = "dpm_solver_2m or ddim"  # to say so loads no PyTorch


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 refused with a reason, 2 not understood, 130 stopped."""
    given = _parser().parse_args(arguments)
    try:
        return given.run(given) or 0
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:  # our own errors are ValueErrors that say what to do
        print(f"tad-course: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tad-course", description="Audio waveform diffusion, by ear.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, help_text, add_options, run in (
        ("doctor", "check this machine; every red line comes with its cure", None, _doctor),
        ("generate", "make new sounds", _generate_options, _generate),
        ("restyle", "play sounds of your own on the model", _restyle_options, _restyle),
        ("train", "train or fine-tune a model; the same command goes on after a stop", _train_options, _train),
        ("evaluate", "put a model's sounds beside real drums and measure", _evaluate_options, _evaluate),
        ("render", "write a folder of sounds of the drum machine", _render_options, _render),
        ("collect", "write a folder of recorded drums, from SoundFonts and folders", _collect_options, _collect),
    ):
        command = commands.add_parser(
            name, help=help_text, description=help_text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        if add_options:
            add_options(command)
        command.set_defaults(run=run)
    return parser


def _sound_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="drums", help="a shipped model's name, or a model's folder")
    parser.add_argument("--label", help="kick, snare, … as the model has them, or any", default="any")
    parser.add_argument("--steps", type=int, help="network evaluations a sound; without: enough for the sampler")
    parser.add_argument("--sampler", default="dpm_solver_2m", help=SAMPLERS)
    parser.add_argument("--guidance", type=float, default=1.0, help="classifier-free guidance, 1 is none")
    parser.add_argument("--seed", type=int, default=0, help="of the first sound; the next ones count up")
    parser.add_argument("--encoding", default="float32", choices=("float32", "pcm24", "pcm16"), help="of the WAVs")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--out", type=Path, default=Path("sounds"), help="folder to write to")


def _generate_options(parser: argparse.ArgumentParser) -> None:
    _sound_options(parser)
    parser.add_argument("--count", type=int, default=1, help="how many sounds")
    parser.add_argument("--from", dest="source", type=Path, help="make again: a WAV, or a zip or JSON of an export")


def _restyle_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", type=Path, nargs="+", help="sound files (WAV, FLAC, AIFF, OGG, MP3) or folders")
    _sound_options(parser)
    parser.add_argument("--strength", type=float, default=0.5, help="0 keeps the sound, 1 ignores it")


def _train_options(parser: argparse.ArgumentParser) -> None:
    defaults = {f.name: f.default for f in fields(TrainConfig)} | {"loggers": []}
    add = parser.add_argument
    add("--out", type=Path, default=defaults["out"], help="the run's folder: model, log, state to resume from")
    add("--data", type=Path, help="folder of sounds, labelled by name or by folder; without: drum machine")
    add("--drums", type=int, default=defaults["drums"], help="how many sounds the drum machine renders")
    add("--model", default=defaults["model"], help="preset (small, tiny, reference), or a model to fine-tune")
    add("--name", help="what the model shall be called; without: the name of --out")
    add("--labels", nargs="*", help="what it shall play, one instrument for example: kick")
    for name in ("steps", "batch_size", "warmup_steps", "seed", "validate_every", "save_every"):
        add("--" + name.replace("_", "-"), type=int, default=defaults[name], help=" ")
    for name in ("learning_rate", "ema_decay", "weight_decay"):
        add("--" + name.replace("_", "-"), type=float, default=defaults[name], help=" ")
    add("--accelerator", default="auto", choices=("auto", "cpu", "cuda", "mps"), help=" ")
    add("--precision", default="auto", choices=("auto", "32", "bf16"), help="auto: bf16 on a GPU that computes in it")
    add("--loggers", nargs="*", default=[], help="tensorboard, wandb (beside CSV)")
    add("--quiet", action="store_true", help="no bar, no messages")


def _render_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=32, help="sounds in all")
    parser.add_argument("--seed", type=int, default=0, help="of the first of each label")


def _collect_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", type=Path, nargs="+", help="SoundFonts (.sf2) and folders of sound files")
    parser.add_argument("--labels", nargs="+", required=True, help="kick, snare, hihat, tom, … : what to take")
    parser.add_argument("--copies", type=int, default=1, help="sounds made of each recording: itself and relatives")
    parser.add_argument("--seed", type=int, default=0, help="of the copies")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="drums", help="a shipped model's name, or a model's folder")
    parser.add_argument("--count", type=int, default=250, help="sounds of each label, made and real")
    parser.add_argument("--training", type=int, default=4000, help="training sounds of each label, to find copies")
    parser.add_argument("--searched", type=Path, help="folder of further training sounds, to find copies")
    parser.add_argument("--steps", type=int, help="network evaluations a sound; without: enough for the sampler")
    parser.add_argument("--sampler", default="dpm_solver_2m", help=SAMPLERS)
    parser.add_argument("--guidance", type=float, default=1.0, help="classifier-free guidance, 1 is none")
    parser.add_argument("--seed", type=int, default=0, help="of the first sound")
    parser.add_argument("--batch", type=int, default=8, help="how many sounds are made together")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--recordings", type=Path, help="folder of recorded drums to compare with too")
    parser.add_argument("--out", type=Path, help="folder for figures.json, figures.md and figures.png")


def _doctor(given: argparse.Namespace) -> int:
    from tad_course import doctor

    return doctor.report()


def _load(given: argparse.Namespace):
    from tad_course.generate import Settings, fingerprint, label_index
    from tad_course.model.checkpoint import load_model

    model = load_model(given.model)
    settings = Settings(
        model=given.model, label=given.label, seed=given.seed, sampler=given.sampler,
        num_steps=_steps(given), guidance_scale=given.guidance,
        fingerprint=fingerprint(model),
    )  # fmt: skip
    label_index(model, settings)  # an unknown label is refused before anything is made
    return model.to(_device(given.device)), settings


def _steps(given: argparse.Namespace) -> int:
    """Return the steps asked for, or enough for the sampler; one that is not known is refused by `Settings`."""
    from tad_course.generate import STEPS

    return STEPS.get(given.sampler, 1) if given.steps is None else given.steps


def _device(name: str) -> str:
    import torch

    found = {"cpu": lambda: True, "cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if name not in found:
        raise ValueError(f"Unknown device {name!r}; choose one of {', '.join(found)}.")
    if not found[name]():  # only the wanted one is asked: looking for a GPU loads its driver
        raise ValueError(f"This machine has no {name} device; use --device cpu.")
    return name


def _generate(given: argparse.Namespace) -> int:
    from tqdm import tqdm

    from tad_course.audio.wav import save_wav
    from tad_course.generate import generate_many

    if given.source:
        return _generate_again(given)
    model, settings = _load(given)
    if given.count < 1:
        raise ValueError(f"--count must be at least 1, not {given.count}.")
    seeds = range(settings.seed, settings.seed + given.count)
    for each, audio in tqdm(generate_many(model, settings, seeds), total=given.count, unit="sound", disable=None):
        path = save_wav(given.out / each.file_name(), audio, given.encoding, comment=each.to_json())
        tqdm.write(str(path))
    return 0


def _generate_again(given: argparse.Namespace) -> int:
    """Make the sounds that a file describes, as far as it holds all they need; the others are named."""
    from tqdm import tqdm

    from tad_course.audio.wav import save_wav
    from tad_course.library.recipes import make_again, read_recipes

    recipes, device, refused = read_recipes(given.source), _device(given.device), 0
    for recipe, sound in tqdm(make_again(recipes, device), total=len(recipes), unit="sound", disable=None):
        if isinstance(sound, ValueError):
            refused += 1
            print(f"tad-course: {recipe.file or given.source} was not made. {sound}", file=sys.stderr)
            continue
        encoding = recipe.encoding or given.encoding
        tqdm.write(str(save_wav(given.out / recipe.name, sound.audio, encoding, comment=sound.comment())))
    return 1 if refused else 0


def _restyle(given: argparse.Namespace) -> int:
    from tqdm import tqdm

    from tad_course.audio import SUFFIXES, load_audio, save_wav
    from tad_course.edit import check_strength, restyle

    model, settings = _load(given)
    paths = []
    for path in given.files:
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        paths += [(p, p.relative_to(path) if path.is_dir() else Path(p.name)) for p in found]
    if not paths:
        raise ValueError(f"No sound files ({', '.join(SUFFIXES)}) in {', '.join(map(str, given.files))}.")
    check_strength(given.strength)
    refused = 0
    for path, relative in tqdm(paths, unit="sound", disable=None):
        source = f"{path.stem}{path.suffix.replace('.', '_')}"
        name = f"{source}_{settings.label}_seed{given.seed}_strength{given.strength:g}.wav"
        comment = json.dumps(settings.to_dict() | {"restyled": path.name, "strength": given.strength})
        try:
            result = restyle(model, load_audio(path, model.config.length_samples), settings, given.strength)
            tqdm.write(str(save_wav(given.out / relative.with_name(name), result, given.encoding, comment=comment)))
        except ValueError as error:  # one bad file must not stop a folder
            refused += 1
            tqdm.write(f"refused: {path}: {str(error).removeprefix(f'{path}: ')}", file=sys.stderr)
    print(f"{len(paths) - refused} restyled, {refused} refused.")
    return 1 if refused else 0


def _train(given: argparse.Namespace) -> None:
    from tad_course.training.loop import train

    values = {f.name: getattr(given, f.name) for f in fields(TrainConfig)}
    for name in ("labels", "loggers"):
        values[name] = None if values[name] is None else tuple(values[name])
    print(f"The model is in {train(TrainConfig(**values))}")


def _evaluate(given: argparse.Namespace) -> None:
    import torch

    from tad_course.evaluation.extract import model_families
    from tad_course.evaluation.recordings import judged_by_recordings, load_recordings
    from tad_course.evaluation.report import evaluate, save_report, table
    from tad_course.generate import Settings
    from tad_course.model.checkpoint import load_model

    for name in ("count", "training", "batch"):
        if getattr(given, name) < 1:
            raise ValueError(f"--{name} must be at least 1, not {getattr(given, name)}.")
    torch.set_flush_denormal(True)
    model = load_model(given.model).to(_device(given.device))
    settings = Settings(
        model=given.model, seed=given.seed, sampler=given.sampler,
        num_steps=_steps(given), guidance_scale=given.guidance,
    )  # fmt: skip
    found = load_recordings(given.recordings, model_families(model)) if given.recordings else {}
    report = evaluate(model, settings, given.count, given.training, given.batch, given.searched)
    report.measures.extend(judged_by_recordings(model, settings, found))
    print(table(report.to_dict()))
    if given.out:
        print(f"Written to {save_report(report, given.out)}")


def _render(given: argparse.Namespace) -> None:
    from tad_course.drums.folder import render_folder

    files = render_folder(given.folder, given.count, given.seed)
    print(f"{len(files)} sounds in {given.folder}")


def _collect(given: argparse.Namespace) -> None:
    from tad_course.drums.recorded import collect

    files = collect(given.sources, given.out, given.labels, given.copies, given.seed)
    print(f"{len(files)} sounds in {given.out}")


if __name__ == "__main__":
    sys.exit(main())
