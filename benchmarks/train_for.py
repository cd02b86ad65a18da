"""Train for so many minutes of CPU time: python benchmarks/train_for.py --minutes 10 -- --out runs/x --data runs/sounds

What follows `--` are options of `tad-course train`; --steps is calculated from a few trial steps, so that the learning
rate falls to its end in the time given. One thread. CPU time is this process's own (`time.process_time`), so that other
work on the machine does not count; trial steps and imports do not count either. The run's folder gets a `cost.json`:
CPU seconds, steps, seconds a step, peak memory, parameters. The same command goes on with a run that was stopped.
"""

import argparse
import json
import signal
import statistics
import threading
import time
from dataclasses import fields, replace

import torch
from memory import peak_mb

from tad_course import cli
from tad_course.config import TrainConfig
from tad_course.files import replacing
from tad_course.model.checkpoint import load_model
from tad_course.training import loop as training
from tad_course.training.loss import losses_at_random_levels

REPORT_S = 10.0


def config_of(options: list[str]) -> TrainConfig:
    """Return the settings that `tad-course train` would take from these options."""
    given = cli._parser().parse_args(["train", *options])
    values = {f.name: getattr(given, f.name) for f in fields(TrainConfig)}
    for name in ("labels", "loggers"):
        values[name] = None if values[name] is None else tuple(values[name])
    return TrainConfig(**values)


def step_s(config: TrainConfig, trials: int = 8) -> float:
    """Return the median CPU seconds of a training step on noise."""
    module = training.TrainingModule(training._start_model(config), config)
    optimizer = module.configure_optimizers()["optimizer"]
    audio = 0.1 * torch.randn(config.batch_size, 2, module.model.config.length_samples)
    labels = torch.zeros(config.batch_size, dtype=torch.long)
    bf16 = training.precision(config) == "bf16-mixed"
    times = []
    for _ in range(trials):
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            losses_at_random_levels(module.model, audio, labels)[0].mean().backward()
        torch.nn.utils.clip_grad_norm_(module.model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        module.average.update_parameters(module.model)
        times.append(time.process_time() - start)
    return statistics.median(times[2:])  # the first ones make the optimizer's state


def train_for(config: TrainConfig, minutes: float) -> dict:
    """Train for `minutes` of CPU time, less what earlier calls have used up; return the costs."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    file = config.out / "cost.json"
    cost = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if not cost:
        planned = 0.95 * minutes * 60 / step_s(config)  # 5 % for reading files and for what surrounds the steps
        cost = {"minutes": minutes, "cpu_s": 0.0, "planned_steps": max(2, round(planned)), "peak_mb": 0.0}
    if cost["minutes"] != minutes:
        raise ValueError(f"{file}: this run was planned for {cost['minutes']:g} minutes; choose another --out.")
    if cost["cpu_s"] > 60 * minutes or cost.get("steps") == cost["planned_steps"]:
        return cost
    config = replace(config, steps=cost["planned_steps"])
    config = replace(config, warmup_steps=min(config.warmup_steps, config.steps // 10))
    before, start, done = cost["cpu_s"], time.process_time(), threading.Event()

    def report() -> None:
        cost["cpu_s"] = before + time.process_time() - start
        cost["peak_mb"] = max(cost["peak_mb"], peak_mb())
        config.out.mkdir(parents=True, exist_ok=True)
        with replacing(file) as temporary:
            temporary.write_text(json.dumps(cost, indent=2) + "\n", encoding="utf-8")

    def watch() -> None:
        while not done.wait(REPORT_S):
            report()
            if cost["cpu_s"] > 60 * minutes:
                signal.raise_signal(signal.SIGINT)  # training saves and ends after the step under way
                return

    whole = training.split
    # a run that is stopped is validated once more: on one batch here, since this time is not to be measured
    training.split = lambda sounds: (whole(sounds)[0], whole(sounds)[1][: config.batch_size])
    threading.Thread(target=watch, daemon=True).start()
    training.train(config)
    training.split = whole
    done.set()
    cost["steps"] = training._saved_step(config.out / training.RESUME)
    cost["batch_size"] = config.batch_size
    cost["parameters"] = sum(p.numel() for p in load_model(config.out).parameters())
    report()
    cost["s_per_step"] = cost["cpu_s"] / max(1, cost["steps"])
    report()
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("options", nargs="*", help="of `tad-course train`, after --")
    given = parser.parse_args()
    print(json.dumps(train_for(config_of(given.options), given.minutes), indent=2))


if __name__ == "__main__":
    main()
