"""Every Markdown file: what it links to is there, what it tells people to type exists, and it names no machine."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from hdr.cli.main import main
from tests.docs.conftest import PAGES, ROOT, blocks, prose

IN_CLASS = {"teach"}
"""Pages that the guide for teachers is about."""

LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
ELSEWHERE = re.compile(r"^(https?:|mailto:)")
SVG = "{http://www.w3.org/2000/svg}"
MACHINE = re.compile(r"/(?:home|root|tmp|work|Users)/\w|\bfile://|\b[A-Z]:\\Users")


def by_path(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> list[str]:
    return LINK.findall(re.sub(r"`[^`\n]*`", "", prose(page)))


def anchors(page: Path) -> set[str]:
    """The names that a heading has on GitHub: small letters, no signs, spaces as hyphens; a second one ends in -1."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", prose(page), re.M):
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        found.append(f"{name}-{found.count(name)}" if name in found else name)
    return set(found)


@pytest.mark.parametrize("page", PAGES, ids=by_path)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for link in links(page):
        if ELSEWHERE.match(link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        assert target.exists(), f"{link} is not there"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading; there are {sorted(anchors(target))}"


@pytest.mark.parametrize("page", PAGES, ids=by_path)
def test_pictures_are_pictures_and_say_what_they_show(page: Path) -> None:
    for words, path in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", prose(page)):
        assert words.strip(), path
        if path.endswith(".svg"):
            drawn = (page.parent / path).read_text("utf-8")
            assert ElementTree.fromstring(drawn).findtext(f"{SVG}title"), path
            # An address of its own would be asked for by everybody who opens the page.
            assert not re.search(r"href|@import|<script|url\((?!#)", drawn), path
        else:
            assert (page.parent / path).read_bytes().startswith(b"\x89PNG"), path


def test_every_picture_is_shown_somewhere_and_comes_in_both_schemes() -> None:
    folder = ROOT / "docs" / "pictures"
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page) if link.endswith(".png")}
    for picture in folder.glob("*-light.png"):
        assert picture in shown, f"{picture.name} is shown nowhere"
        assert picture.with_name(picture.name.replace("-light", "-dark")).exists(), picture.name


def commands(page: Path) -> list[list[str]]:
    """The words of every line in a block without a language, without comments; what Python gets by `<<` is left out."""
    found = []
    for block in blocks(page):
        if block.language in ("", "bash", "sh"):
            text = re.sub(r"<<'?(\w+)'?\n.*?^\1$", "", block.text, flags=re.M | re.S).replace("\\\n", " ")
            found += [shlex.split(part, comments=True) for line in text.splitlines() for part in line.split("&&")]
    return [words for words in found if words]


def module_there(name: str) -> bool:
    # Not imported: hdr.__main__ would begin to work.
    return importlib.util.find_spec(name) is not None or (ROOT / name).is_dir()


@pytest.mark.parametrize("page", PAGES, ids=by_path)
def test_what_a_page_tells_people_to_type_exists(page: Path) -> None:
    for words in commands(page):
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words = words[1:]
        for word in words:
            bare = word.removeprefix("/opt/hdr/").split("::")[0]
            if re.fullmatch(r"(hdr|pages|tests|tools|benchmarks|docs|requirements)/[\w./-]+", bare):
                assert (ROOT / bare).exists(), f"{word} in {words}"
            if re.fullmatch(r"(streamlit_app\.py|requirements\.txt)", bare):
                assert (ROOT / bare).exists(), word
        if words[:1] == ["make"]:
            assert {w for w in words[1:] if "=" not in w} <= TARGETS, words
        if "-m" in words and words[0].endswith(("python", "python3")):
            module, *rest = words[words.index("-m") + 1 :]
            assert module_there(module), words
            if module == "hdr":
                assert rest and rest[0] in main.commands, words
        if words[0] == "hdr":
            assert words[1] in main.commands, words


@pytest.mark.parametrize("page", PAGES, ids=by_path)
def test_what_a_page_names_in_passing_exists(page: Path) -> None:
    for code in re.findall(r"`([^`\n]+)`", prose(page)):
        if re.fullmatch(r"(hdr|pages|tests|tools|benchmarks|docs|requirements)/[\w./-]+", code):
            assert (ROOT / code).exists(), code
        if found := re.fullmatch(r"make ([a-z]+)", code):
            assert found[1] in TARGETS, code
        if found := re.match(r"(?:python -m )?hdr (\w+)", code):
            assert found[1] in main.commands, code
        if found := re.match(r"python ((?:tools|benchmarks|tests)/\S+\.py)", code):
            assert (ROOT / found[1]).exists(), code


@pytest.mark.parametrize("page", PAGES, ids=by_path)
def test_settings_that_a_page_names_are_settings(page: Path) -> None:
    from hdr.settings import NAMES, variable

    for name in re.findall(r"\bHDR_[A-Z_]+\b", page.read_text("utf-8")):
        assert name in {variable(known) for known in NAMES}, name


@pytest.mark.parametrize("page", PAGES, ids=by_path)
def test_no_page_names_a_machine(page: Path) -> None:
    found = MACHINE.search(page.read_text("utf-8"))
    assert not found, found


def test_every_guide_can_be_reached_from_the_readme() -> None:
    seen, open_ = set(), [ROOT / "README.md"]
    while open_:
        page = open_.pop()
        seen.add(page)
        linked = {(page.parent / unquote(link).partition("#")[0]).resolve() for link in links(page)}
        open_ += [other for other in linked if other.suffix == ".md" and other.exists() and other not in seen]
    missing = {page for page in PAGES if page.is_relative_to(ROOT / "docs" / "guide")} - seen
    assert not missing, sorted(map(by_path, missing))


def test_every_page_of_the_app_has_a_guide() -> None:
    guides = {path.stem for path in (ROOT / "docs" / "guide").glob("*.md")}
    assert {path.stem for path in (ROOT / "pages").glob("*.py")} - IN_CLASS <= guides
