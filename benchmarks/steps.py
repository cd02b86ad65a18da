"""Quality against steps and seconds for each sampler, and cost against length: python benchmarks/steps.py --model drums

For every sampler and number of steps the same seeds are generated (--count a label) and put beside the same real drums.
Each point is written to `steps.json` as soon as it is known, so the same command goes on after a stop; another model,
other weights or another count start anew. One thread. `steps.png` is drawn at the end from what the file holds.

"Seconds" is the median CPU time of one sound at batch 1, which on one thread is what a clock shows on a machine that
does nothing else. For the cost of other lengths, networks of the model's and of the reference's build are timed with
random weights, which take the same time.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from matplotlib.ticker import LogLocator, NullFormatter

from tad_course.display import plots
from tad_course.evaluation.extract import extract_features, made_chunks, model_families
from tad_course.evaluation.report import check_labels, measures, real_sets
from tad_course.files import replacing
from tad_course.generate import Settings, fingerprint, generate
from tad_course.model.checkpoint import load_model
from tad_course.model.network import REFERENCE, AudioDiffusion, ModelConfig
from tad_course.model.samplers import SAMPLERS, seeded_noise

STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
LENGTHS = (8_192, 16_384, 32_768, 65_536, 131_072)
SHOWN = ("frechet_mel", "kernel_mel", "frechet_embedding", "kernel_embedding", "recall", "coverage", "class_agreement")
NAMES = {
    "ddim": "DDIM",
    "dpm_solver_2m": "DPM-Solver++(2M)",
}


def median_seconds(run: Callable, times: int = 5) -> float:
    """Return the median CPU time of `run()`, after one call to warm up."""
    run()
    found = []
    for _ in range(times):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return statistics.median(found)


def point(model: AudioDiffusion, settings: Settings, sets, per_label: int) -> dict:
    """Return what these settings reach and what they cost."""
    total = per_label * len(model_families(model))
    title = f"{settings.sampler}, {settings.num_steps} steps"
    found = measures(extract_features(made_chunks(model, settings, per_label), total, title), sets)
    whole = {m.measure: (m.made, m.real) for m in found if not m.label and m.measure in SHOWN}
    one = replace(settings, label=model.config.labels[0])
    return {
        "sampler": settings.sampler,
        "num_steps": settings.num_steps,
        "seconds": median_seconds(lambda: generate(model, one)),
        **{name: made for name, (made, _) in whole.items()},
        "real": {name: real for name, (_, real) in whole.items()},
    }


def call_seconds(config: ModelConfig, length_samples: int, times: int = 3) -> float:
    """Return the time of one network call for a sound of that length."""
    model = AudioDiffusion(replace(config, length_samples=length_samples)).eval()
    x_t = seeded_noise(model.shape, [0])
    denoise = model.denoiser(torch.zeros(1, dtype=torch.long))
    return median_seconds(lambda: denoise(x_t, torch.tensor(0.5)), times)


def save(results: dict, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as temporary:
        temporary.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def measure(model: AudioDiffusion, name: str, given: argparse.Namespace) -> dict:
    """Measure what is not yet in the file; return all of it."""
    file = given.out / "steps.json"
    about = {"model": name, "fingerprint": fingerprint(model), "per_label": given.count, "threads": 1}
    results = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if results.get("about") != about:
        results = {"about": about, "points": [], "lengths": []}
    known = {(p["sampler"], p["num_steps"]) for p in results["points"]}
    missing = [(s, n) for n in given.steps for s in given.samplers if (s, n) not in known]
    sets = real_sets(check_labels(model), given.count, given.count) if missing else None
    for sampler, num_steps in missing:
        settings = Settings(model=name, sampler=sampler, num_steps=num_steps)
        results["points"].append(point(model, settings, sets, given.count))
        save(results, file)
        print({k: round(v, 3) if isinstance(v, float) else v for k, v in results["points"][-1].items() if k != "real"})
    known = {(p["preset"], p["length_samples"]) for p in results["lengths"]}
    for preset, config in (("ours", model.config), ("reference", REFERENCE)):
        step = config.block_size * math.prod(config.factors)
        for length in given.lengths:
            if (preset, length) not in known and length % step == 0:
                row = {"preset": preset, "length_samples": length, "s_per_call": call_seconds(config, length)}
                results["lengths"].append(row)
                save(results, file)
                print(row)
    return results


def draw(results: dict):
    """Return the figure: three measures against steps, one against seconds, the cost against length."""
    fig, axes = plots.figure(2, 3, height=6.2, width=13.0)
    panels = (
        ("frechet_mel", "num_steps", "Fréchet distance, log-mel"),
        ("frechet_embedding", "num_steps", "Fréchet distance, classifier"),
        ("class_agreement", "num_steps", "class agreement"),
        ("frechet_mel", "seconds", "the same quality in seconds"),
        ("coverage", "num_steps", "coverage"),
    )
    for ax, (y, x, title) in zip(axes.flat, panels, strict=False):
        for sampler, style in zip(dict.fromkeys(p["sampler"] for p in results["points"]), "*os^D", strict=False):
            points = sorted((p[x], p[y]) for p in results["points"] if p["sampler"] == sampler)
            ax.plot(*zip(*points, strict=True), marker=style, markersize=4, label=NAMES.get(sampler, sampler))
        real = results["points"][0]["real"][y]
        ax.axhline(real, color="#222222", linewidth=1, linestyle=":", label="real against real")
        ax.set(title=title, xlabel="steps" if x == "num_steps" else "seconds a sound (batch 1, one thread)")
        ax.set(xscale="log", yscale="log" if "frechet" in y else "linear")
        if x == "num_steps":
            steps = sorted({p["num_steps"] for p in results["points"]})
            ax.set_xticks(steps, [str(n) for n in steps])
            ax.xaxis.set_minor_formatter(NullFormatter())
        else:
            plain(ax.xaxis)
        plain(ax.yaxis)
    axes[0, 0].legend(fontsize=9)
    _draw_lengths(axes[1, 2], results["lengths"])
    return fig


def _draw_lengths(ax, rows: list[dict]) -> None:
    for preset, style in (("ours", "o"), ("reference", "s")):
        points = sorted((r["length_samples"] / 44_100, r["s_per_call"]) for r in rows if r["preset"] == preset)
        if points:
            ax.plot(*zip(*points, strict=True), marker=style, markersize=4, label=preset)
    ax.set(xscale="log", yscale="log", title="cost against length")
    ax.set(xlabel="length of the sound (s)", ylabel="seconds a network call")
    plain(ax.xaxis)
    plain(ax.yaxis)
    ax.legend(fontsize=9)


def plain(axis) -> None:
    """Write the numbers of a logarithmic axis as people do: 0.2, not 2 × 10⁻¹."""
    if axis.get_scale() == "log":
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--model", default="drums")
    add("--count", type=int, default=64, help="sounds of each label at each point")
    add("--steps", type=int, nargs="+", default=list(STEPS))
    add("--samplers", nargs="+", default=list(SAMPLERS))
    add("--lengths", type=int, nargs="*", default=list(LENGTHS), help="in samples")
    add("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    results = measure(load_model(given.model), given.model, given)
    with replacing(given.out / "steps.png") as temporary:
        draw(results).savefig(temporary, dpi=100, format="png")
    print(f"Written to {given.out / 'steps.json'} and steps.png.")


if __name__ == "__main__":
    main()
