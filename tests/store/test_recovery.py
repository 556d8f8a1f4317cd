"""A store that cannot be used: the app starts anyway, what can be read is carried over, and the old file is kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from hdr.store import recovery
from hdr.store.run_commands import RunCommands
from hdr.store.runs import RunStore, StoreError
from hdr.store.schema import VERSION
from hdr.store.searches import SearchStore
from hdr.training.run_spec import RunSpec
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension

ROOT = Path(__file__).parents[2]
RUNS, FEW = 40, 10
SPEC = RunSpec("bundled", 500)
SEARCH = SearchSpec(SPEC, (dimension(SPEC, "classifier.mlp.units"),), "random", most_trials=3)
RESULT = {"test_accuracy": 0.975, "mistakes": [{"index": k, "label": 2, "said": 3} for k in range(400)]}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that was closed in order: forty runs with long results, a curve each, and a search."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HDR_HOME", str(folder))
        fill(RunStore())
    assert not (folder / "runs.sqlite-wal").exists()
    return folder / "runs.sqlite"


@pytest.fixture
def file(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that store, for one test, in a home of its own."""
    monkeypatch.setenv("HDR_HOME", str(tmp_path))
    return shutil.copy(filled, tmp_path / "runs.sqlite")


def fill(store: RunStore, count: int = RUNS, close: bool = True) -> None:
    """Something of everything."""
    for number in range(count):
        run = store.create(SPEC, "ann", f"t{number}").id
        store.claim(run, 1)
        store.add_event(run, 0, {"phase": "fitting", "step": 1})
        RunCommands(store).send(run, "pause", "x")
        store.finish(run, RESULT)
    searches = SearchStore(store)
    search = searches.create(SEARCH, "ann", "s").id
    claim = searches.claim(search, 1)
    for number in range(2):
        searches.begin(search, claim, {"classifier.mlp.units": 5 + number})
        searches.settle(search, claim, number, "done", 0.5 + number / 10, [(100.0, 0.5)], 2.0)
    if close:
        store.database.engine.dispose()


def overwrite(path: Path, at: int, data: bytes) -> None:
    """Damage from a place on."""
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def page_of(path: Path, table: str) -> int:
    """Where the second leaf of a table begins."""
    with sqlite3.connect(path) as connection:
        query = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 1"
        return (connection.execute(query, (table,)).fetchone()[0] - 1) * 4096


def backups(path: Path) -> list[Path]:
    """What was set aside, without logs."""
    return sorted(p for p in path.parent.glob("runs-*.sqlite"))


def whole(path: Path) -> bool:
    """Whether the store's file is in order."""
    with sqlite3.connect(path) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def zero_the_header(path: Path) -> None:
    overwrite(path, 0, bytes(100))


def scribble_over_the_header(path: Path) -> None:
    overwrite(path, 16, b"this is not what it was, but the name is" * 2)


def write_something_else(path: Path) -> None:
    path.write_bytes(b"this is not a database, and long enough to be looked at" * 200)


def zero_a_page_of_runs(path: Path) -> None:
    overwrite(path, page_of(path, "runs"), bytes(4096))


def zero_the_list_of_tables(path: Path) -> None:
    overwrite(path, 0, bytes(4096))


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_to_a_stump(path: Path) -> None:
    os.truncate(path, 50)


@pytest.mark.parametrize(
    ("harm", "runs"),
    [
        (zero_the_header, range(RUNS, RUNS + 1)),
        (scribble_over_the_header, range(RUNS, RUNS + 1)),
        (zero_a_page_of_runs, range(RUNS - 8, RUNS + 1)),
        (cut_in_half, range(RUNS)),
        (cut_to_a_stump, range(1)),
        (zero_the_list_of_tables, range(1)),
        (write_something_else, range(1)),
    ],
)
def test_a_damaged_file_is_kept_and_what_can_be_read_carried_over(
    file: Path, harm: Callable[[Path], None], runs: range
) -> None:
    harm(file)
    as_it_was = file.read_bytes()
    store = RunStore()
    store.check()
    (backup,) = backups(file)
    assert backup.name.startswith("runs-damaged-20") and backup.read_bytes() == as_it_was
    repair = store.repaired()
    assert (repair.backup, repair.trouble) == (backup.name, "damaged") and repair.runs in runs
    assert backup.name in repair.sentence and "damaged" in repair.sentence and "1 runs" not in repair.sentence
    found = store.runs("ann", limit=1000)
    assert len(found) == repair.runs and whole(file)
    for run in found:
        assert run.spec == SPEC and run.result in (RESULT, {}) and (run.status == "done") == bool(run.result)
        assert run.status in ("done", "interrupted") and (run.test_accuracy == 0.975) == bool(run.result)
    if repair.runs == RUNS:
        (search,) = SearchStore(store).searches()
        assert (search.ended, search.best, search.best_value, search.seconds) == (2, 1, 0.6, 4.0)
        assert all(store.events(r.id) and RunCommands(store).commands(r.id) for r in found)
    run = store.create(SPEC, "ann", "afterwards").id
    again = RunStore()
    again.check()
    assert again.get(run).id == run and backups(file) == [backup], "it is mended once"


def test_what_is_damaged_again_is_kept_beside_the_first(file: Path) -> None:
    for number in range(3):
        zero_the_header(file)
        assert len(RunStore().runs("ann", limit=1000)) == RUNS and len(backups(file)) == number + 1
    assert len({b.name for b in backups(file)}) == 3


def test_a_store_without_anything_in_it_is_a_new_one(file: Path) -> None:
    os.truncate(file, 0)
    store = RunStore()
    assert store.runs() == [] and store.repaired() is None and backups(file) == []
    assert store.create(SPEC, "ann", "t").id == store.runs()[0].id


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a process that was killed: all that it has written lies in the log of its store."""
    folder = tmp_path_factory.mktemp("killed")
    code = "from tests.store.test_recovery import *; fill(RunStore(), FEW, False); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, env={**os.environ, "HDR_HOME": str(folder)})
    assert (folder / "runs.sqlite-wal").stat().st_size > 100_000
    return folder


@pytest.fixture
def killed(left_behind: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that store, for one test, in a home of its own."""
    monkeypatch.setenv("HDR_HOME", str(tmp_path))
    shutil.copytree(left_behind, tmp_path, dirs_exist_ok=True)
    return tmp_path / "runs.sqlite"


def test_what_only_the_log_holds_is_there_after_a_kill(killed: Path) -> None:
    store = RunStore()
    store.check()
    assert len(store.runs(limit=1000)) == FEW and store.repaired() is None


@pytest.mark.parametrize(("at", "least"), [(0, 0), (4, 0), (32 + 4120 * 60 + 100, 1), (32 + 4120 * 60 + 20, 1)])
def test_a_damaged_log_is_noticed_and_kept(killed: Path, at: int, least: int) -> None:
    log = killed.with_name("runs.sqlite-wal")
    overwrite(log, at, bytes(2))
    overwrite(log, at + 2, b"!!")
    as_it_was = log.read_bytes()
    store = RunStore()
    repair = store.repaired()
    assert repair and killed.with_name(repair.backup + "-wal").read_bytes() == as_it_was
    assert least <= repair.runs == len(store.runs(limit=1000)) < FEW


@pytest.mark.parametrize("size", [0, 20, 32, 1000, 32 + 4120 + 5])
def test_a_log_that_ends_early_is_no_damage(killed: Path, size: int) -> None:
    os.truncate(killed.with_name("runs.sqlite-wal"), size)
    assert RunStore().repaired() is None


def test_an_empty_file_with_a_log_beside_it_is_no_new_store(killed: Path) -> None:
    os.truncate(killed, 0)
    store = RunStore()
    assert store.repaired().runs == len(store.runs(limit=1000)) == FEW, "the log holds everything since the start"


def test_a_later_version_s_store_is_kept_and_carried_over(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("ALTER TABLE runs ADD COLUMN mood TEXT NOT NULL DEFAULT 'good'")
        connection.execute("CREATE TABLE moods (name TEXT)")
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    store = RunStore()
    repair, (backup,) = store.repaired(), backups(file)
    assert repair.trouble == "newer" and repair.runs == RUNS == len(store.runs(limit=1000))
    assert backup.name.startswith("runs-newer-20") and store.runs()[0].result == RESULT
    with sqlite3.connect(backup) as connection:
        assert connection.execute("SELECT count(mood) FROM runs").fetchone() == (RUNS,)
    assert RunStore().repaired() == repair


def test_a_row_whose_values_make_no_sense_is_left_behind(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        names = [row[0] for row in connection.execute("SELECT id FROM runs ORDER BY rowid")]
        for number, (column, value) in enumerate(
            [("spec", "\0\0"), ("tags", "[no"), ("result", '{"test'), ("key", "")]
        ):
            connection.execute(f"UPDATE runs SET {column} = ? WHERE id = ?", (value, names[number]))
    zero_the_header(file)
    store = RunStore()
    assert {r.id for r in store.runs(limit=1000)} == set(names[2:])
    assert store.get(names[2]).status == "interrupted" and store.get(names[2]).result == {}
    assert "damaged" in store.get(names[2]).message and store.events(names[0]) == []


def test_damage_that_is_met_later_is_mended_for_everybody(file: Path) -> None:
    first, second = RunStore(), RunStore()
    names = {r.id for r in second.listed(limit=1000)}
    first.database.engine.dispose()
    zero_the_list_of_tables(file)
    with pytest.raises(StoreError, match=r"set aside and a new one begun: try again\."):
        first.runs()
    assert first.runs() == [], "the next call finds the new one"
    assert second.listed() == [] and names, "also where somebody else has mended it"
    assert second.create(SPEC, "ann", "t").id == first.runs()[0].id


def test_what_is_written_into_a_file_that_is_being_replaced_is_not_acknowledged(file: Path) -> None:
    store = RunStore()
    with pytest.raises(StoreError, match="try again"), store.database.writing() as connection:
        connection.execute(sa.text("UPDATE runs SET note = 'x'"))
        os.replace(file, file.with_name("old.sqlite"))
        fill(RunStore())
    assert store.create(SPEC, "ann", "t").note == "" and {r.note for r in store.runs()} == {""}


def test_eight_threads_that_meet_the_damage_mend_it_once(file: Path) -> None:
    zero_the_header(file)
    found: list[int] = []
    start = threading.Barrier(8)

    def open_it() -> None:
        start.wait()
        found.append(len(RunStore().runs(limit=1000)))

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [RUNS] * 8 and len(backups(file)) == 1


def test_a_file_that_disappears_is_made_again(file: Path) -> None:
    store = RunStore()
    for name in ("runs.sqlite", "runs.sqlite-wal", "runs.sqlite-shm"):
        file.with_name(name).unlink(missing_ok=True)
    assert store.runs() == [] and store.create(SPEC, "ann", "t").status == "queued"


def test_without_room_it_says_so_and_leaves_everything(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zero_the_header(file)
    as_it_was = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recovery, "_copy", full)
    with pytest.raises(StoreError, match=r"cannot be opened: No space left on device\."):
        RunStore()
    assert file.read_bytes() == as_it_was


READ_ONLY = """
import os
from hdr.store.runs import RunStore, StoreError
RunStore("sqlite://")
if os.geteuid() == 0:
    # Nothing is forbidden to this one.
    os.setuid(65534)
store = RunStore()
print(len(store.runs(limit=1000)))
try:
    store.request_stop("x")
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no users to forbid something: not tested")
@pytest.mark.parametrize("log", [False, True])
def test_a_folder_that_can_only_be_read_shows_its_runs(log: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("HDR_HOME", folder)
        fill(RunStore())
        keeper = sqlite3.connect(Path(folder) / "runs.sqlite")
        if log:
            keeper.execute("UPDATE runs SET note = 'x'")
            keeper.commit()
        else:
            keeper.close()
        os.chmod(folder, 0o555)
        try:
            found = subprocess.run([sys.executable, "-c", READ_ONLY], cwd=ROOT, capture_output=True, text=True)
        finally:
            os.chmod(folder, 0o755)
        keeper.close()
    assert found.stdout.startswith(f"{RUNS}\n"), found.stderr[-2000:]
    assert "cannot be written to: attempt to write a readonly database." in found.stdout


def test_a_store_that_somebody_keeps_locked_is_opened_and_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hdr.store.schema.BUSY_SECONDS", 0.2)
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        store = RunStore()
        assert len(store.listed(limit=1000)) == RUNS
        with pytest.raises(StoreError, match=r"cannot be written to: database is locked\."):
            store.create(SPEC, "ann", "t")
        other.execute("ROLLBACK")
    assert store.create(SPEC, "ann", "t").status == "queued"
