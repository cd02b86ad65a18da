"""The glossary: every link to a term arrives, every term leads to its lesson and back, and its names in code exist."""

import pkgutil
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
LINK = re.compile(r"\]\(([\w-]+\.ipynb)?(?:#([^)]+))?\)")
ENTRY = re.compile(r"^### (?P<term>.+)\n\n(?P<text>.+)\n\n\*→\* (?P<facts>.+)$", re.MULTILINE)
CODE = re.compile(r"`([A-Za-z_]\w*(?:\.\w+)+)")
VARIABLES = {"X", "net", "x"}  # of a lesson, as in `x.square()`
LINKED_BACK = tuple(f"{number:02d}" for number in range(8))  # the lessons that link each term at its first use


@cache
def prose(path: Path) -> str:
    return "\n\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")


GLOSSARY = prose(NOTEBOOKS / "glossary.ipynb")
ENTRIES = {found["term"]: found for found in ENTRY.finditer(GLOSSARY)}
every_entry = pytest.mark.parametrize("term", ENTRIES)


def anchor(heading: str) -> str:
    """Return the fragment that JupyterLab and nbconvert give a heading: case is kept, a space becomes a hyphen."""
    return heading.replace(" ", "-")


def links(text: str) -> set[tuple[str, str]]:
    """Return (file, fragment) of each link to a notebook; the file is empty for a place on the same page."""
    return {found for found in LINK.findall(text) if any(found)}


def test_every_third_level_heading_is_a_whole_entry():
    assert set(re.findall(r"^### (.+)$", GLOSSARY, re.MULTILINE)) == set(ENTRIES)
    assert len(ENTRIES) > 70


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda p: p.stem)
def test_every_link_to_the_glossary_arrives_at_a_heading(path):
    headings = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", GLOSSARY, re.MULTILINE)}
    own_page = path.stem == "glossary"
    fragments = {f for file, f in links(prose(path)) if f and (file == "glossary.ipynb" or own_page and not file)}
    assert fragments <= headings


@every_entry
def test_an_entry_leads_to_a_lesson_and_the_lesson_leads_back(term):
    ((lesson, _),) = links(ENTRIES[term]["facts"])
    assert (NOTEBOOKS / lesson).exists()
    if lesson[:2] in LINKED_BACK:
        assert ("glossary.ipynb", anchor(term)) in links(prose(NOTEBOOKS / lesson))


@every_entry
def test_a_term_is_explained_in_one_to_three_sentences(term):
    sentences = re.split(r"(?<=[.!?])\)?\*?\s+(?=[A-Z(*$\d−])", ENTRIES[term]["text"])
    assert 1 <= len(sentences) <= 3
    assert len(ENTRIES[term]["text"]) < 330


def missing_names(text: str) -> list[str]:
    """Return the dotted names in code that are neither in PyTorch nor, with its name before them, in the package."""
    return [name for name in CODE.findall(text) if name.partition(".")[0] not in VARIABLES and not exists(name)]


def exists(name: str) -> bool:
    try:
        pkgutil.resolve_name(name if name.startswith("torch.") else f"tad_course.{name}")
    except (ImportError, AttributeError):
        return False
    return True


@every_entry
def test_the_names_in_code_exist(term):
    assert not missing_names(ENTRIES[term].group())


@pytest.mark.parametrize("name", ["gone.GainShape", "model.gone.ddim", "audio.gone", "Gone.seed", "torch.fft.gone"])
def test_a_name_whose_module_or_function_is_gone_is_found(name):
    assert missing_names(f"*→* in code `audio.dbfs`, `X.abs()`; `{name}(x)` · first met") == [name]


def test_the_index_names_every_term_once_in_alphabetical_order():
    index = re.search(r"## All terms\n\n(.+)", GLOSSARY).group(1)
    listed = re.findall(r"\[([^\]]+)\]\(#([^)]+)\)", index)
    assert [term for term, _ in listed] == sorted(ENTRIES, key=str.lower)
    assert all(fragment == anchor(term) for term, fragment in listed)
