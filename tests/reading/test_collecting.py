"""Drawings that the host may keep: only with a token, in bounds, whole at every moment, and gone when withdrawn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading import collecting
from hdr.reading.collecting import CollectingError, consent, keep, withdraw
from hdr.reading.handwriting import Handwriting
from tests.reading.conftest import FOUR, SEVEN

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home."""
    monkeypatch.setenv("HDR_HOME", str(tmp_path))
    return tmp_path


def two() -> Handwriting:
    """A seven and a four."""
    return Handwriting().with_drawing(SEVEN, 7).with_drawing(FOUR, 4)


def files() -> list[Path]:
    """Everything in the folder."""
    return sorted(collecting.folder().iterdir()) if collecting.folder().exists() else []


def test_what_is_kept_is_the_drawings_and_nothing_else() -> None:
    token = consent()
    assert files() == [], "agreeing alone writes nothing"
    assert keep(token, two()) == 2
    (path,) = files()
    assert path.read_text() == two().to_lines()
    assert len(Handwriting().with_lines(path.read_bytes())) == 2


def test_the_file_follows_the_collection() -> None:
    token = consent()
    keep(token, two())
    assert keep(token, two().relabelled(0, 1).without(1)) == 1
    (path,) = files()
    assert [d.label for d in Handwriting().with_lines(path.read_bytes()).drawings] == [1]
    assert keep(token, Handwriting()) == 0
    assert files() == []


def test_digits_of_photos_are_not_kept() -> None:
    token = consent()
    assert keep(token, two().with_picture(from_strokes(FOUR), 4)) == 2
    assert "pixels" not in files()[0].read_text()
    assert keep(token, Handwriting().with_picture(from_strokes(FOUR), 4)) == 0
    assert files() == []


def test_withdrawing_deletes_ones_own_and_no_others() -> None:
    mine, theirs = consent(), consent()
    assert mine != theirs
    keep(mine, two())
    keep(theirs, two())
    withdraw(mine)
    withdraw(mine)
    assert [f.stem for f in files()] == [theirs]


@pytest.mark.parametrize("token", ["", "../x", "a" * 31, "A" * 32, "a" * 32 + "/", "a" * 32 + "\n"])
def test_a_token_is_never_a_path(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        keep(token, two())
    with pytest.raises(ValueError, match="token"):
        withdraw(token)
    assert files() == []


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    first = consent()
    monkeypatch.setattr(collecting, "MOST_FILES", 1)
    keep(first, two())
    with pytest.raises(CollectingError, match="no room"):
        keep(consent(), two())
    assert keep(first, two().relabelled(0, 1)) == 2, "one's own may still change"
    monkeypatch.setattr(collecting, "MOST_BYTES", 10)
    with pytest.raises(CollectingError, match="no room"):
        keep(first, two())
    assert '"label":1' in files()[0].read_text(), "and stays as it was"


def test_a_folder_that_cannot_be_written_to_is_said_plainly(home: Path) -> None:
    (home / collecting.FOLDER).write_text("in the way")
    with pytest.raises(CollectingError, match="could not be kept"):
        keep(consent(), two())


def test_several_processes_write_at_once() -> None:
    code = (
        "from tests.reading.test_collecting import two; from hdr.reading.collecting import consent, keep, withdraw\n"
        "for k in range(10):\n"
        "    token = consent(); keep(token, two()); keep(token, two())\n"
        "    withdraw(token) if k % 2 else None"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(3)]
    assert [p.wait(60) for p in running] == [0, 0, 0]
    assert [f.read_text() for f in files()] == [two().to_lines()] * 15
