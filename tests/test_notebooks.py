"""Every stored notebook is complete, in order, silent about errors, small, and says what its pictures show."""

import re
from pathlib import Path

import nbformat
import pytest

from tad_course import notebook_runner

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
MAY_FAIL = "raises-exception"  # a cell that shows an error on purpose says so
MAY_WARN = "prints-to-stderr"  # and so does one that shows a warning
SKIPPED = "nbval-skip"


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code" and "".join(c.source).strip()]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def html_of(path: Path) -> str:
    return "\n".join(str(o.get("data", {}).get("text/html", "")) for c in code_cells(path) for o in c.outputs)


@every_notebook
def test_every_code_cell_was_run_and_from_top_to_bottom(path):
    cells = [c for c in code_cells(path) if SKIPPED not in tags(c)]
    assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1))


@every_notebook
def test_no_cell_shows_an_error_that_is_not_part_of_the_lesson(path):
    wrong = [c.id for c in code_cells(path) for o in c.outputs if o.output_type == "error" and MAY_FAIL not in tags(c)]
    assert not wrong


@every_notebook
def test_no_cell_warns_unless_the_lesson_wants_it(path):
    wrong = {c.id: o.text for c in code_cells(path) for o in c.outputs if o.get("name") == "stderr"}
    planned = {c.id for c in code_cells(path) if MAY_WARN in tags(c)}
    assert not {cell: text for cell, text in wrong.items() if cell not in planned}


@every_notebook
def test_no_audio_is_stored(path):
    stored = [c.id for c in code_cells(path) if notebook_runner.AUDIO_BYTES.search(str(c.outputs))]
    assert not stored


@every_notebook
def test_it_stays_under_a_megabyte(path):
    assert path.stat().st_size < 1_000_000


@every_notebook
def test_it_is_nbformat_4_5_with_names_for_its_cells(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
    assert len(ids) == len(set(ids))
    assert not [i for i in ids if re.fullmatch(r"[0-9a-f]{8}(-.*)?", i)], "an id made at random says nothing in a diff"
    assert notebook.metadata.kernelspec.name == "python3"


@every_notebook
def test_every_picture_is_described_in_words(path):
    bare = [c.id for c in code_cells(path) for o in c.outputs if "image/png" in o.get("data", {})]
    assert not bare, "use tad_course.display.plots.show(figure, alt=...): only that keeps the description in JupyterLab"
    for image in re.findall(r"<img\b[^>]*>", html_of(path)):
        assert re.search(r'\balt="[^"]{10,}"', image), image[:80]


@every_notebook
def test_no_output_tells_where_it_was_made(path):
    text = "\n".join(str(c.outputs) for c in code_cells(path))
    assert not re.search(r"/home/\w|/Users/\w|/root/|C:\\\\Users|" + re.escape(str(ROOT)), text)


# --- the runner behind `make notebooks` ---

PLAYER = """from IPython.display import HTML, display
import sys
for n in range(3):
    print(n, flush=True)
display(HTML('<audio src="data:audio/wav;base64,UklGRg=="></audio>'))"""
WIDGET = "import ipywidgets\nipywidgets.HTML('<audio src=\"data:audio/wav;base64,UklGRg==\">')"


@pytest.fixture
def small_notebook(tmp_path):
    def write(*sources: str) -> Path:
        cells = [nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
        path = tmp_path / "small.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return path

    return write


def test_running_a_notebook_again_changes_not_one_byte(small_notebook):
    path = small_notebook(PLAYER, WIDGET)
    assert notebook_runner.main([str(path)]) == 0
    first = path.read_bytes()
    assert notebook_runner.main([str(path)]) == 0
    assert path.read_bytes() == first
    outputs = str([c.outputs for c in code_cells(path)])
    assert "UklGRg" not in outputs
    assert outputs.count("data:audio/wav;base64,") == 2
    assert "widget-view" not in outputs
    assert [c.execution_count for c in code_cells(path)] == [1, 2]
    assert not list(path.parent.glob(".*"))


MEASURED = """import time
from IPython.display import HTML, display
print(f'took {time.time():.2f} s')
display(HTML(f'<span class="measured">{time.time()}</span>'))"""


def test_a_cell_that_measures_keeps_its_stored_numbers_until_something_else_changes(small_notebook):
    options = ["--measured", str(ROOT / "tests" / "nbval_sanitize.cfg")]
    path = small_notebook(MEASURED)
    assert notebook_runner.main([str(path), *options]) == 0
    first = path.read_bytes()
    assert notebook_runner.main([str(path), *options]) == 0
    assert path.read_bytes() == first
    path.write_text(path.read_text(encoding="utf-8").replace("took {", "it took {"), encoding="utf-8")
    assert notebook_runner.main([str(path), *options]) == 0
    assert "it took" in str(code_cells(path)[0].outputs)


def test_a_picture_that_changed_is_stored_anew():
    patterns = notebook_runner.read_patterns(ROOT / "tests" / "nbval_sanitize.cfg")
    old, new = (
        nbformat.v4.new_notebook(
            cells=[
                nbformat.v4.new_code_cell(
                    "show()",
                    id="picture",
                    outputs=[
                        nbformat.v4.new_output("display_data", {"text/html": f"<img src='data:image/png;base64,{b}'>"})
                    ],
                )
            ]
        )
        for b in ("AAAA", "BBBB")
    )
    notebook_runner.keep_stored(old, new, patterns)
    assert "BBBB" in str(new.cells[0].outputs)


def test_a_notebook_that_fails_is_left_as_it_was(small_notebook, capsys):
    path = small_notebook("print('before')", "1 / 0")
    before = path.read_bytes()
    assert notebook_runner.main([str(path)]) == 1
    assert path.read_bytes() == before
    assert "ZeroDivisionError" in capsys.readouterr().err
