"""Ours beside the reference preset, in one table, from one run on one machine: python benchmarks/compare.py

Both are trained from scratch on the same sounds for the same CPU time, on one thread (`train_for.py`), unless that is
done already in --runs: training goes on where it was stopped. Then, in this process: the time of one sound at batch 1,
in pairs; in processes of their own: peak memory; and every measure of `tad-course evaluate` at the same number of
sounds. The reference's sounds take up to a minute each; they are kept as WAVs in its run, so a stop loses nothing.

What is fair. Both are unconditional nets of one instrument (--label). The reference's published recipe adds up 32
sounds to one update; in minutes on a CPU that would be a dozen updates, so it gets one for every sound, and three times
its learning rate. Both train in float32. Its sampler is its own (DDIM on times that fall evenly, 50 steps). With
--shipped, a shipped model, which was trained for longer, has a column too.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tad_course.audio import load_audio, save_wav
from tad_course.audio.levels import finish
from tad_course.drums.folder import render_folder
from tad_course.drums.voices import LABELS
from tad_course.evaluation.extract import extract_features, made_jobs, model_families, name_of
from tad_course.evaluation.report import Measure, RealSets, check_labels, measures, number, real_sets
from tad_course.files import replacing
from tad_course.generate import Settings, fingerprint, generate, generate_together, label_index
from tad_course.model.checkpoint import load_model
from tad_course.model.network import AudioDiffusion
from tad_course.model.samplers import ddim, last, linear_grid, seeded_noise

HERE = Path(__file__).parent
REFERENCE_STEPS = 50  # its default
RECIPES = {
    "ours": (),
    "reference": ("--model", "reference", "--batch-size", "1", "--learning-rate", "3e-4"),
}


@dataclass(frozen=True)
class Contestant:
    """A model with the settings it makes sounds with, and its run's folder, where its costs and sounds are."""

    name: str
    folder: Path | None
    model: AudioDiffusion
    settings: Settings

    def cost(self) -> dict:
        file = self.folder / "cost.json" if self.folder else None
        return json.loads(file.read_text(encoding="utf-8")) if file and file.is_file() else {}


def train(name: str, label: str, runs: Path, data: Path, minutes: float) -> Path:
    """Train a contestant in a process of its own, or go on with it; return its run."""
    out = runs / name
    options = ["--out", str(out), "--data", str(data), "--precision", "32", "--accelerator", "cpu"]
    options += ["--labels", label, "--validate-every", "1000000", "--save-every", "50", *RECIPES[name]]
    command = [sys.executable, str(HERE / "train_for.py"), "--minutes", f"{minutes:g}", "--", *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out


def contestant(name: str, folder: Path | str, reference_steps: int | None = None) -> Contestant:
    """Load a model; with `reference_steps` it makes sounds as the reference does."""
    model = load_model(folder)
    settings = Settings(model=str(folder), label=model.config.labels[0])
    if reference_steps:
        settings = replace(settings, sampler="ddim", num_steps=reference_steps)
    run = Path(folder) if Path(folder).is_dir() else None
    return Contestant(name, run, model, settings)


def time_pairs(ours: Contestant, reference: Contestant, pairs: int, steps: int = REFERENCE_STEPS) -> dict:
    """Return medians of the time of one sound at batch 1 in turn, and the median of the ratios of the pairs.

    The ratio is one of CPU times: what else the machine does lengthens wall-clock times, and those of the two unevenly.
    """

    def times(one: Contestant, settings: Settings) -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        generate(one.model, settings)
        return time.process_time() - cpu, time.perf_counter() - wall

    slow = replace(reference.settings, num_steps=steps)
    generate(ours.model, ours.settings)  # warm up
    generate(reference.model, replace(slow, num_steps=1))
    found = []
    for pair in range(pairs):
        runs = torch.tensor([times(ours, ours.settings) for _ in range(5)])
        found.append((runs.median(0).values.tolist(), times(reference, slow)))
        (mine, _), (theirs, _) = found[-1]
        print(f"pair {pair + 1}: ours {mine:.3f} s, reference {theirs:.1f} s of CPU time", flush=True)
    medians = torch.tensor(found).median(0).values.tolist()  # [2 contestants, CPU and wall]
    ratio = statistics.median(theirs[0] / mine[0] for mine, theirs in found)
    return {ours.name: medians[0], reference.name: medians[1], "ratio": ratio}


def generating_mb(one: Contestant) -> float:
    """Return the peak memory of `tad-course generate` with these settings; two steps take as much as fifty."""
    how = one.settings
    with tempfile.TemporaryDirectory() as folder:
        options = ["--model", how.model, "--sampler", how.sampler, "--steps", "2", "--out", folder]
        command = [sys.executable, str(HERE / "memory.py"), "generate", *options]
        found = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(found.stdout.split()[-1])


def kept_chunks(one: Contestant, per_label: int, chunk: int) -> Iterator:
    """Yield the contestant's sounds as `made_chunks` does; those of a run are kept there as WAVs and not made again."""
    folder = one.folder / "made" / fingerprint(one.model) if one.folder else None
    for job in made_jobs(one.model, one.settings, per_label):
        for start in range(0, len(job), chunk):
            part = job[start : start + chunk]
            names = torch.tensor([name_of(one.model, each) for each in part])
            if folder and all((folder / each.file_name()).is_file() for each in part):
                audio = torch.stack([load_audio(folder / each.file_name()) for each in part])
            else:
                audio = together(one, part)
                for each, sound in zip(part, audio, strict=True):
                    if folder:
                        folder.mkdir(parents=True, exist_ok=True)
                        save_wav(folder / each.file_name(), sound, comment=each.to_json())
            yield audio, names


def together(one: Contestant, batch: list[Settings]) -> torch.Tensor:
    """Return sounds `[B, 2, N]`; those of the reference by its own way, DDIM on times that fall evenly to 0."""
    if one.name != "reference":
        return generate_together(one.model, batch)
    model, first = one.model, batch[0]
    noise = seeded_noise(model.shape, [each.seed for each in batch])
    steps = ddim(model.denoiser(label_index(model, first)), noise, linear_grid(first.num_steps))
    return torch.stack([finish(sound) for sound in model.decode(last(steps))])


def judge(one: Contestant, sets: RealSets, per_label: int, chunk: int) -> list[Measure]:
    """Return every measure of the contestant's sounds."""
    total = per_label * len(model_families(one.model) or LABELS)
    return measures(extract_features(kept_chunks(one, per_label, chunk), total, one.name), sets)


def costs(one: Contestant, times: dict) -> dict:
    """Return what the contestant costs, by the names of the table's rows."""
    cost = one.cost()
    return {
        "CPU minutes of training": cost.get("cpu_s", 0) / 60 or None,
        "training steps": cost.get("steps"),
        "sounds heard in training": cost.get("steps", 0) * cost.get("batch_size", 0) or None,
        "CPU seconds a training step": cost.get("s_per_step"),
        "peak memory of training (MB)": cost.get("peak_mb"),
        "peak memory of generating (MB)": generating_mb(one),
        "parameters": sum(p.numel() for p in one.model.parameters()),
        "CPU seconds a sound, batch 1": times.get(one.name, [None, None])[0],
        "the same by the clock": times.get(one.name, [None, None])[1],
    }


def table(results: dict) -> str:
    """Return the results as Markdown: one column for each contestant, one for real sounds."""
    names = list(results["costs"])
    lines = [f"| | {' | '.join(names)} | other real ones |", f"|---|{'---:|' * (len(names) + 1)}"]
    for row in next(iter(results["costs"].values())):
        cells = [results["costs"][name][row] for name in names]
        lines.append(f"| {row} | {' | '.join('' if x is None else number(x) for x in cells)} | |")
    found = {name: {(m["measure"], m["label"]): m for m in results["measures"][name]} for name in names}
    for key in dict.fromkeys(key for each in found.values() for key in each):
        rows = [found[name].get(key) for name in names]
        cells = ["" if m is None else number(m["made"]) for m in rows]
        first = next(m for m in rows if m)
        title = " ".join(part.replace("_", " ") for part in key if part)
        lines.append(f"| {title} | {' | '.join(cells)} | {number(first['real'])} |")
    return "\n".join(lines)


def verdict(results: dict) -> str:
    """Say in how many measures the first contestant is nearer to real sounds than the second."""
    first, second = list(results["measures"].values())[:2]
    theirs = {(m["measure"], m["label"]): off(m) for m in second}
    pairs = [(off(m), theirs[m["measure"], m["label"]]) for m in first if (m["measure"], m["label"]) in theirs]
    better, equal = sum(a < b for a, b in pairs), sum(a == b for a, b in pairs)
    speed = f"A sound takes {results['seconds']['ratio']:.0f} times less. " if results["seconds"] else ""
    return f"{speed}Nearer to real sounds in {better} of {len(pairs)} measures, level in {equal}."


def off(m: dict) -> float:
    """Return how far a measure is from that of real sounds."""
    return abs(m["made"] - m["real"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--minutes", type=float, default=10.0, help="CPU time of each training")
    add("--runs", type=Path, default=Path("runs/compare"), help="where `ours` and `reference` are trained and kept")
    add("--no-training", action="store_true", help="compare what --runs holds, however far it came")
    add("--label", default="kick", help="the instrument")
    add("--data", type=Path, help="folder of sounds to train on; without, 2000 are rendered")
    add("--count", type=int, default=12, help="sounds of each label")
    add("--training", type=int, default=500, help="training sounds of each label, to find copies")
    add("--pairs", type=int, default=3, help="how often the two are timed in turn")
    add("--reference-steps", type=int, default=REFERENCE_STEPS, help="for its measured sounds; it is timed at 50")
    add("--shipped", nargs="*", default=[], help="further models with a column, for example kicks")
    add("--out", type=Path, default=HERE / "results")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)

    if not given.no_training:
        data = given.data or given.runs / "sounds"
        if given.data is None:
            render_folder(data, 2000, seed=0, labels=[given.label])
        for name in RECIPES:
            train(name, given.label, given.runs, data, given.minutes)
    field = [contestant("ours", given.runs / "ours")]
    field += [contestant("reference", given.runs / "reference", given.reference_steps)]
    field += [contestant(name, name) for name in given.shipped]
    times = time_pairs(*field[:2], given.pairs) if given.pairs else {}
    sets = real_sets(check_labels(field[0].model), given.count, given.training)
    found = {one.name: judge(one, sets, given.count, 1 if one.name == "reference" else 8) for one in field}
    results = {
        "settings": {"per_label": given.count, "reference_steps": given.reference_steps, "threads": 1},
        "seconds": times,
        "costs": {one.name: costs(one, times) for one in field},
        "measures": {name: [vars(m) for m in rows] for name, rows in found.items()},
    }
    text = f"{table(results)}\n\n{verdict(results)}\n"
    given.out.mkdir(parents=True, exist_ok=True)
    for name, content in (("compare.json", json.dumps(results, indent=2) + "\n"), ("compare.md", text)):
        with replacing(given.out / name) as temporary:
            temporary.write_text(content, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
