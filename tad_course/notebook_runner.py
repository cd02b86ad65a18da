"""Run notebooks and store what they show, so that running them again changes not one byte.

``python -m tad_course.notebook_runner notebooks/*.ipynb`` (behind ``make notebooks``) executes each notebook
in a fresh kernel, in its own folder, and replaces the file in one step, or not at all if a cell fails.
"""

import argparse
import configparser
import copy
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

CELL_TIMEOUT_S = 600
KERNEL_TIMEOUT_S = 300  # on a busy machine a kernel can take more than a minute to answer
# Two cores everywhere: sums that are split over threads differ in their last bits with the number of threads,
# and a training run makes those bits visible. The tests use the same settings.
# PASSIVE: on a busy machine two threads that spin while they wait for each other take ten times as long.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "2",
    "MKL_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONHASHSEED": "0",
    "TAD_COURSE_ANSWERS": "",  # what somebody solved on this machine must not change what is stored
}
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
AUDIO_BYTES = re.compile(r"(data:audio/[A-Za-z0-9.+-]+;base64,)[A-Za-z0-9+/=]+")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def without_audio(value):
    """Empty every audio data URI in a text, or in the texts of a list or dict; the player itself stays."""
    if isinstance(value, str):
        return AUDIO_BYTES.sub(r"\1", value)
    if isinstance(value, list):
        return [without_audio(item) for item in value]
    if isinstance(value, dict):
        return {key: without_audio(item) for key, item in value.items()}
    return value


def tidy(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Remove from an executed notebook what is large, random, or tells about the machine that ran it.

    Audio bytes go (players are made again by running), and so do views of widgets, whose ids are random and
    whose models live in a kernel that is gone; their text stays. Changes ``notebook`` and returns it.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            output.update(nbformat.from_dict(without_audio(dict(output))))
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return notebook


def read_patterns(path: Path) -> list[re.Pattern]:
    """Read what may differ from run to run from a file for nbval's ``--nbval-sanitize-with``; pictures may not."""
    parser = configparser.RawConfigParser()
    parser.read_string(path.read_text(encoding="utf-8"))
    return [re.compile(parser[name]["regex"]) for name in parser.sections() if name != "media"]


def _without_measured(outputs: list, patterns: list[re.Pattern]) -> str:
    text = json.dumps([dict(output, execution_count=None) for output in outputs], sort_keys=True, ensure_ascii=False)
    text = text.replace('\\"', '"')
    for pattern in patterns:
        text = pattern.sub("", text)
    return text


def keep_stored(old: nbformat.NotebookNode, new: nbformat.NotebookNode, patterns: list[re.Pattern]) -> None:
    """Give cells of ``new`` the outputs of ``old`` where only measured times, sizes and addresses differ."""
    stored = {cell.get("id"): cell for cell in old.cells if cell.cell_type == "code"}
    for cell in new.cells:
        before = stored.get(cell.get("id"))
        if cell.cell_type != "code" or before is None or before.source != cell.source:
            continue
        if _without_measured(before.outputs, patterns) == _without_measured(cell.outputs, patterns):
            cell.outputs = [nbformat.from_dict(_numbered(output, cell.execution_count)) for output in before.outputs]


def _numbered(output: dict, execution_count: int) -> dict:
    return dict(output, execution_count=execution_count) if "execution_count" in output else dict(output)


def write_atomically(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write ``notebook`` to ``path`` so that whoever reads sees the old file or the new one, never a half."""
    nbformat.validate(notebook)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            nbformat.write(notebook, file)
        temporary.chmod(path.stat().st_mode if path.exists() else 0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def run(path: Path, cell_timeout_s: int = CELL_TIMEOUT_S, patterns: Sequence[re.Pattern] = ()) -> float:
    """Execute the notebook at ``path`` in place and return the seconds it took.

    Args:
        path: a notebook; its kernel runs in its folder.
        cell_timeout_s: longest time for one cell.
        patterns: what may differ from the stored outputs without replacing them, see ``read_patterns``.

    Raises:
        CellExecutionError: a cell failed; the file is left as it was.
    """
    start = time.perf_counter()
    notebook = nbformat.read(path, as_version=4)
    stored = copy.deepcopy(notebook)
    client = NotebookClient(
        notebook,
        timeout=cell_timeout_s,
        startup_timeout=KERNEL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute()
    tidy(notebook)
    keep_stored(stored, notebook, patterns)
    write_atomically(notebook, path)
    return time.perf_counter() - start


def main(arguments: list[str] | None = None) -> int:
    """Run the notebooks named on the command line; 1 if one of them failed, after trying them all."""
    parser = argparse.ArgumentParser(prog="python -m tad_course.notebook_runner", description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--cell-timeout-s", type=int, default=CELL_TIMEOUT_S)
    parser.add_argument("--measured", type=Path, help="nbval's file of what may differ from run to run")
    options = parser.parse_args(arguments)
    patterns = read_patterns(options.measured) if options.measured else []
    os.environ.update(ENVIRONMENT)
    failed = False
    for path in options.notebooks:
        try:
            print(f"{path}: {run(path, options.cell_timeout_s, patterns):.0f} s", flush=True)
        except (CellExecutionError, TimeoutError, OSError, nbformat.reader.NotJSONError) as error:
            failed = True
            print(f"{path}: not stored. {error}", file=sys.stderr, flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
