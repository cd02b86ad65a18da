"""How well sounds are edited, in one table: python benchmarks/edits.py

For a drum of each label: how far restyling goes with its strength, how well repainting keeps the rest and joins it,
and how exactly inversion comes back, with the number of network calls and the time of each.
"""

import argparse
import time

import torch

from tad_course.audio.levels import dbfs
from tad_course.drums import render
from tad_course.edit import from_noise, inpaint, invert, restyle, vary_sound
from tad_course.generate import Settings
from tad_course.model.checkpoint import load_model

START_S, STOP_S = 0.1, 0.3
STRENGTHS = (0.0, 0.1, 0.3, 0.5, 0.7, 1.0)
AMOUNTS = (0.02, 0.1, 0.3, 1.0)


def error_db(audio: torch.Tensor, true: torch.Tensor) -> float:
    """Return the level of the difference against that of the sound, in dB."""
    return float(dbfs(audio - true) - dbfs(true))


def seam(made: torch.Tensor, rate: int) -> float:
    """Return the largest bend (second difference) of the sound at the seams, in dB against that elsewhere."""
    bend = made.diff(n=2).abs().amax(0)
    near = torch.zeros_like(bend, dtype=torch.bool)
    for at in (round(START_S * rate), round(STOP_S * rate)):
        near[at - 96 : at + 96] = True  # frames and crossfade reach that far
    tail = torch.arange(len(bend)) > rate * START_S / 2  # the attack is no measure of what a click would be
    return 20 * float(torch.log10(bend[near].max() / bend[~near & tail].max()))


def row(title: str, values, unit: str = "dB") -> None:
    print(f"{title:<44}" + "".join(f"{value:>12.1f}" for value in values) + f"  {unit}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="drums", help="a shipped model's name, or a model's folder")
    parser.add_argument("--steps", type=int, nargs="*", default=[12, 24, 48], help="of the inversions")
    parser.add_argument("--seed", type=int, default=3, help="of the drums")
    given = parser.parse_args()
    model = load_model(given.model)
    labels, rate = model.config.labels, model.config.sample_rate
    drums = {label: render(label, given.seed).audio for label in labels}
    plain = {label: Settings(model=given.model, label=label, seed=1) for label in labels}
    print(f"{'':<44}" + "".join(f"{label:>12}" for label in labels))
    for strength in STRENGTHS:
        moved = [error_db(restyle(model, drums[x], plain[x], strength), drums[x]) for x in labels]
        row(f"restyle, strength {strength:g}: distance", [max(value, -200) for value in moved])
    for turns in (1, 4):
        start, made = time.perf_counter(), []
        for label in labels:
            made.append(inpaint(model, drums[label], plain[label], START_S, STOP_S, turns=turns))
        took = (time.perf_counter() - start) / len(labels)
        outside = torch.ones(made[0].shape[-1], dtype=torch.bool)
        outside[round(START_S * rate) : round(STOP_S * rate)] = False
        kept = [error_db(x[:, outside], drums[label][:, outside]) for x, label in zip(made, labels, strict=True)]
        row(f"inpaint, {turns} turns, {took:.1f} s: kept", [max(value, -200) for value in kept])
        row(f"inpaint, {turns} turns: seams against elsewhere", [seam(x, rate) for x in made])
    for steps in given.steps:
        start, errors, calls = time.perf_counter(), [], []
        for label in labels:
            settings, heard = Settings(model=given.model, label=label, num_steps=steps), []
            settings = settings  # the kind of percussion that it is
            noise = invert(model, drums[label], settings, on_step=lambda done, _, heard=heard: heard.append(done))
            errors.append(error_db(from_noise(model, noise, settings), drums[label]))
            calls.append(len(heard) + steps)
        took = (time.perf_counter() - start) / len(labels)
        row(f"invert and back, {steps} steps, {took:.1f} s: error", errors)
        row(f"invert and back, {steps} steps", calls, "network calls")
    for amount in AMOUNTS:
        moved = [error_db(vary_sound(model, drums[x], plain[x], amount), drums[x]) for x in labels]
        row(f"vary_sound, amount {amount:g}: distance", moved)


if __name__ == "__main__":
    main()
