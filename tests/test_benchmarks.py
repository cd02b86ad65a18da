"""The benchmarks' own parts: what is measured once is kept, tables say which is better, costs are this process's."""

import json
import sys
from pathlib import Path

import psutil
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import compare  # noqa: E402
import memory  # noqa: E402
import steps  # noqa: E402
import train_for  # noqa: E402

from tad_course.config import ModelConfig  # noqa: E402
from tad_course.evaluation.extract import made_chunks  # noqa: E402
from tad_course.model.checkpoint import save_model  # noqa: E402
from tad_course.model.network import AudioDiffusion  # noqa: E402

SMALL = ModelConfig(
    name="small", labels=("kick",), block_size=256, channels=(64, 8), factors=(1, 4), items=(1, 1), attentions=(0, 0),
    attention_heads=2, attention_features=8, modulation_features=16,
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    return save_model(AudioDiffusion(SMALL), tmp_path_factory.mktemp("runs") / "small")


def options(run: Path, out: Path) -> list[str]:
    chosen = ["--count", "8", "--samplers", "ddim", "--lengths", "4096"]
    return ["--model", str(run), "--out", str(out), *chosen]


def test_curves_are_measured_point_by_point_and_go_on_where_they_were_stopped(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(steps, "REFERENCE", SMALL)  # the real one takes seconds to build
    steps.main([*options(run, tmp_path), "--steps", "1"])
    first = json.loads((tmp_path / "steps.json").read_text(encoding="utf-8"))
    monkeypatch.setattr(steps, "point", lambda model, settings, *_: first["points"][0] | {"num_steps": 2})
    steps.main([*options(run, tmp_path), "--steps", "1", "2"])
    second = json.loads((tmp_path / "steps.json").read_text(encoding="utf-8"))
    assert second["points"][0] == first["points"][0] and [p["num_steps"] for p in second["points"]] == [1, 2]
    assert second["lengths"] == first["lengths"]
    assert {r["preset"] for r in first["lengths"]} == {"ours", "reference"}
    assert (tmp_path / "steps.png").read_bytes().startswith(b"\x89PNG")


def test_curves_of_other_weights_start_anew(run, tmp_path):
    (tmp_path / "steps.json").write_text(json.dumps({"about": "others", "points": [1], "lengths": [2]}))
    given = steps.argparse.Namespace(out=tmp_path, count=8, steps=[], samplers=[], lengths=[])
    assert steps.measure(steps.load_model(run), str(run), given)["points"] == []


def test_sounds_that_were_made_are_read_back_and_not_made_again(run, monkeypatch):
    one = compare.contestant("ours", run, reference_steps=1)
    (made,) = made_chunks(one.model, one.settings, 3)
    (kept,) = compare.kept_chunks(one, 3, 8)
    monkeypatch.setattr(compare, "generate_together", None)
    (read,) = compare.kept_chunks(one, 3, 8)
    assert torch.equal(made[0], kept[0]) and torch.equal(kept[0], read[0]) and read[1].tolist() == [0, 0, 0]


def results() -> dict:
    def row(made, label):
        return {"measure": "hiss", "label": label, "made": made, "real": -90.0}

    measures = {
        "ours": [row(-90.0, "kick"), row(-70.0, "snare"), row(-91.0, "hihat")],
        "reference": [row(-60.0, "kick"), row(-80.0, "snare"), row(-89.0, "hihat")],
    }
    costs = {"ours": {"parameters": 1e6}, "reference": {"parameters": None}}
    return {"costs": costs, "measures": measures, "seconds": {"ratio": 123.0}}


def test_the_verdict_counts_what_is_nearer_to_real_sounds():
    assert "123 times" in compare.verdict(results())
    assert "in 1 of 3 measures, level in 1" in compare.verdict(results())


def test_the_table_has_a_column_for_each_contestant():
    lines = compare.table(results()).splitlines()
    assert lines[0] == "| | ours | reference | other real ones |"
    assert "| parameters | 1000000 |  | |" in lines
    assert "| hiss kick | -90 | -60 | -90 |" in lines


def test_training_for_a_time_takes_the_options_of_the_train_command():
    config = train_for.config_of(["--model", "reference", "--labels", "kick", "--batch-size", "1"])
    assert (config.model, config.labels, config.batch_size) == ("reference", ("kick",), 1)
    ours = train_for.config_of(["--out", "x"])
    assert ours == train_for.TrainConfig(out=Path("x"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell it this way")
def test_peak_memory_is_that_of_this_process():
    now = psutil.Process().memory_info().rss / 1e6
    big = torch.ones(50_000_000)
    peak = memory.peak_mb()
    assert peak >= now + 0.9 * big.nbytes / 1e6 - 100
    assert peak < psutil.virtual_memory().total / 1e6
