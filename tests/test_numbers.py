"""A number with a unit in prose is one that the notebook shows: in an output, in code, or in a table of constants."""

import re
from pathlib import Path

import nbformat
import pytest

LESSONS = sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
UNIT = r"(?:dB|ms|s|min|%|Hz|kHz|times|steps|samples|frames|parameters|weights|MB|GB|million)\b|of \d|in \d"
QUANTITY = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?=[ \u202f]?(?:" + UNIT.replace("%", "%(?!\\w)") + "))")
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|<[^>]*>|`[^`]*`", re.DOTALL)
# What is known from elsewhere, with where from. Everything else is shown by the notebook itself.
KNOWN: dict[str, dict[str, str]] = {
    "01": {"5512": "44,100 / 4 / 2"},
    "03": {"1024": "FRAME", "23": "1024 / 44,100 s", "1": "where to look", "300": "where to look"},
    "04": {"1": "where to look", "300": "where to look", "120": "an end of the grid that is not taken"},
    "05": {
        "44.1": "the sample rate",
        "64": "4 frames of 16 ms",
        "256": "16 frames of 16 ms",
        "16": "a frame in ms",
        "103": "half of 206",
    },
    "06": {"22050": "half the sample rate", "344": "22,050 / 64", "2.8": "22.05 / 8", "50": "TAIL_S in the trial"},
    "07": {"86": "22,050 / 256", "0.37": "16,384 / 44,100"},
}


def numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", text.replace("−", "-").replace(",", ""))


def shown_by(notebook) -> list[float]:
    """Return all numbers in code and outputs, those in pictures excepted."""
    texts = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            texts.append(cell.source)
            for output in cell.outputs:
                texts += [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
                texts.append(re.sub(r"base64,[^\"']*", "", output.get("data", {}).get("text/html", "")))
    return [float(number) for text in texts for number in numbers(text)]


def prose_of(notebook):
    """Yield id and text of every cell that explains; tasks, solutions, titles and references are not among them."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and not cell.id.endswith(("-title", "-task", "-solution", "-deeper")):
            yield cell.id, FORMULA.sub("", cell.source).replace(",", "").replace("−", "-")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_quantity_in_prose_is_shown_by_a_cell(path):
    notebook = nbformat.read(path, 4)
    shown, known = shown_by(notebook), KNOWN.get(path.name[:2], {})
    missing = []
    for cell, text in prose_of(notebook):
        for found in QUANTITY.finditer(text):
            number = found.group(1)
            half = 0.5 * 10.0 ** -len(number.partition(".")[2])
            if number not in known and not any(abs(value - float(number)) <= half for value in shown):
                missing.append(f"{cell}: …{text[max(0, found.start() - 40) : found.end() + 15]}…")
    assert not missing, "\n".join(missing)
