"""The run store on a real PostgreSQL: what it has to bear that a file does not."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from hdr.jobs.quotas import Quotas
from hdr.store import schema
from hdr.store.database import Database
from hdr.store.run_commands import RunCommands
from hdr.store.runs import RunStore, StoreError, StoreLostError, UnknownRunError
from hdr.store.searches import SearchStore
from hdr.training.run_spec import RunSpec
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import dimension
from hdr.types import Step
from tests.cluster.postgresql import PASSWORD, Server

ROOT = Path(__file__).parents[2]
SMALL = RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 2, "units": 10}))


@pytest.fixture
def store(postgresql: str) -> RunStore:
    """An empty store on PostgreSQL."""
    store = RunStore()
    assert store.url == postgresql
    return store


def together(count: int, work: Callable[[int], object]) -> list[object]:
    """What threads come to that begin at the same moment."""
    start, found = threading.Barrier(count), [None] * count

    def one(number: int) -> None:
        start.wait()
        found[number] = work(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_six_processes_make_the_tables_at_once(postgresql: str) -> None:
    code = (
        "import sys\nfrom hdr import cluster\nfrom hdr.store.runs import RunStore\n"
        "from hdr.jobs.quotas import Quotas\ncluster.register()\n"
        "print('ready', flush=True); sys.stdin.readline()\nQuotas(RunStore()).note('ann', 'token', 'x')"
    )
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT)
        for _ in range(6)
    ]
    assert all(p.stdout.readline() == "ready\n" for p in processes)
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [p.communicate(timeout=60)[1] for p in processes]
    assert [p.returncode for p in processes] == [0] * 6, said
    engine = sa.create_engine(postgresql)
    tables = {table.name for table in schema.metadata.sorted_tables}
    assert tables <= set(sa.inspect(engine).get_table_names()) and schema._complete(engine)
    engine.dispose()


def test_a_store_that_lacks_columns_gets_them(store: RunStore, postgresql: str) -> None:
    run = store.create(SMALL, "ann", "t").id
    with store.database.writing() as connection:
        connection.execute(sa.text("ALTER TABLE runs DROP COLUMN note, DROP COLUMN peak_mb"))
        connection.execute(sa.text("DROP TABLE starts"))
        connection.execute(sa.text("DROP INDEX ix_runs_status"))
    opened = together(4, lambda _: RunStore().get(run).note)
    assert opened == [""] * 4
    assert schema._complete(store.database.engine)


def test_texts_that_postgresql_cannot_keep_are_kept_nearly(store: RunStore) -> None:
    run = store.create(SMALL, "ann", "t", title="a\0b \udc80").id
    store.edit(run, "ann", note="x\0y", tags=["\0"])
    store.claim(run, 1)
    store.add_event(run, 0, {"said": "a\0b"})
    assert store.events(run)[0]["said"] == "a\0b", "JSON has a way to write it"
    assert store.end(run, "failed", "what\0ever \udcff and é") and store.get(run).message.endswith("and é")
    for strange in ("a\0b", "\udc80", "'; DROP TABLE runs; --", "x" * 5000):
        with pytest.raises(UnknownRunError):
            store.get(strange)
    with pytest.raises(StoreError) as error:
        store.create(SMALL, "o" * 65, "t2")
    assert "too long" in str(error.value) and "\n" not in str(error.value)


def test_numbers_come_back_as_they_were(store: RunStore) -> None:
    run = store.create(SMALL, "ann", "t", published=True).id
    store.claim(run, 2**31 - 1)
    result = {"test_accuracy": 0.1 + 0.2, "tested_on": 400, "model_bytes": 2**40, "peak_mb": 1e-300}
    assert store.finish(run, {**result, "mistakes": list(range(200_000))})
    found = store.get(run)
    assert {name: getattr(found, name) for name in result} == result
    assert found.published is True and found.deleted is None and len(found.result["mistakes"]) == 200_000
    assert abs(found.finished - time.time()) < 60 and found.created <= found.started <= found.finished


def test_one_of_many_claims_a_run_and_one_click_makes_one(store: RunStore) -> None:
    stores = [RunStore() for _ in range(6)]
    for number in range(5):
        names = together(6, lambda k, number=number: stores[k].create(SMALL, "ann", f"click {number}").id)
        assert len(set(names)) == 1
        taken = together(6, lambda k, run=names[0]: stores[k].claim(run, k))
        assert sorted(taken) == [False] * 5 + [True]
    assert len(store.runs()) == 5


def test_orders_to_one_run_that_come_at_once_are_all_there_once(store: RunStore) -> None:
    run = store.create(SMALL, "ann", "t").id
    senders = [RunCommands(RunStore()) for _ in range(12)]

    def send(number: int) -> None:
        for k in range(5):
            senders[number].send(run, "pause", f"{number} {k}")
            senders[number].send(run, "pause", f"{number} {k}")

    together(12, send)
    assert [c.number for c in senders[0].commands(run)] == list(range(60))


def test_trials_that_end_at_once_are_all_counted(store: RunStore) -> None:
    spec = SearchSpec(SMALL, (dimension(SMALL, "classifier.mlp.learning_rate"),), "random", most_trials=40)
    searches = SearchStore(store)
    search = searches.create(spec, "ann", "t").id
    stores = [SearchStore(RunStore()) for _ in range(4)]
    claims = [stores[0].claim(search, 1)] + [stores[k].claim(search, k + 1, join=True) for k in range(1, 4)]

    def work(hand: int) -> None:
        for _ in range(10):
            trial = stores[hand].begin(search, claims[hand], {"x": hand})
            stores[hand].report(search, claims[hand], trial.number, [(1.0, 0.5)], 0.1)
            assert stores[hand].settle(search, claims[hand], trial.number, "done", trial.number / 100, seconds=1.0)
            assert stores[hand].heartbeat(search, claims[hand])

    together(4, work)
    found, trials = searches.get(search), searches.trials(search)
    assert [t.number for t in trials] == list(range(40)) and all(t.ended for t in trials)
    assert (found.ended, found.best, found.seconds) == (40, 39, 40.0)


def test_a_run_is_removed_while_somebody_still_writes_to_it(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.create(SMALL, "ann", "t").id
    store.claim(run, 1)
    store.add_event(run, 0, {"step": 0})
    store.end(run, "interrupted")
    store.delete([run], "ann")
    with store.database.writing() as connection:
        connection.execute(schema.runs.update().values(deleted=1.0))

    def work(number: int) -> int:
        if number:
            return RunStore().purge()
        with pytest.raises(sa.exc.IntegrityError):
            for k in range(1, 10_000):
                store.add_event(run, k, {"step": k})
        return 0

    assert sum(together(2, work)) == 1 and not store.events(run)


def test_what_is_counted_against_visitors(store: RunStore) -> None:
    allowance = Quotas(store)
    together(4, lambda _: allowance.note("ann", "click", "run"))
    together(4, lambda _: [allowance.add("run", 0.5) for _ in range(10)])
    assert allowance._started("ann")[:2] == (1, 20.0) and allowance._started("bob")[:2] == (0, 0.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.replace(PASSWORD, "hunter3-hunter3"), "password authentication failed"),
        (lambda url: url + "x", "does not exist"),
        (lambda url: url.rsplit(":", 1)[0] + ":1/x", "onnection refused"),
        (lambda url: url.replace("127.0.0.1", "no-such-host.invalid"), "resolve host|not known|resolution"),
    ],
)
def test_a_server_that_cannot_be_reached_is_named(
    postgresql: str, change: Callable[[str], str], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(StoreLostError, match=said) as error:
        RunStore(change(postgresql))
    message = str(error.value)
    assert message.startswith("The run store at postgresql+psycopg://hdr:***@") and message.endswith(".")
    assert "cannot be reached: " in message and "\n" not in message and "Errno" not in message
    assert "hunter" not in message + caplog.text + repr(error.value.__cause__)


def test_a_server_that_never_answers_is_given_up(postgresql: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(StoreLostError, match=r"cannot be reached: .*time"):
            RunStore(f"postgresql+psycopg://hdr@127.0.0.1:{silent.getsockname()[1]}/x")
        assert time.monotonic() - began > 2, "it is given time"


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_that_goes_and_comes_back(store: RunStore, postgresql_server: Server, how: str) -> None:
    run = store.create(SMALL, "ann", "t").id
    store.claim(run, 1)
    searches = SearchStore(store)
    # Several connections, so that each of them has broken.
    together(6, lambda _: store.get(run))
    for step in range(3):
        store.add_event(run, step, {"step": step})
        postgresql_server.stop(how)
        try:
            for ask in (lambda: store.get(run), lambda: store.heartbeat(run), lambda: searches.searches(), RunStore):
                with pytest.raises(StoreLostError, match="cannot be reached: connection refused"):
                    ask()
        finally:
            postgresql_server.start()
        assert store.heartbeat(run) and len(store.events(run)) == step + 1
    assert together(6, lambda _: store.get(run).status) == ["running"] * 6


def test_a_connection_that_breaks_in_the_middle(store: RunStore, postgresql_server: Server) -> None:
    run = store.create(SMALL, "ann", "t").id
    with pytest.raises(StoreLostError, match="cannot be reached"), store.database.writing() as connection:
        connection.execute(schema.runs.update().values(title="half done"))
        postgresql_server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hdr'")
        connection.execute(schema.runs.update().values(note="half done"))
    assert store.get(run).title == SMALL.summary, "nothing of what was not finished"
    # One that has waited in the pool is made anew, and nobody hears of it.
    postgresql_server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hdr'")
    store.edit(run, "ann", note="whole")
    assert store.get(run).note == "whole"


def test_nobody_waits_for_ever_for_a_lock(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.create(SMALL, "ann", "t").id
    other = RunStore()
    with store.database.writing() as connection:
        connection.execute(schema.runs.update().values(title="mine"))
        began = time.monotonic()
        with pytest.raises(StoreError, match="cannot be written to: canceling statement due to lock timeout") as error:
            other.edit(run, "ann", note="x")
        assert time.monotonic() - began > 4 and not isinstance(error.value, StoreLostError)
    assert store.get(run).title == "mine"


def test_connections_are_few_and_given_back(store: RunStore, postgresql_server: Server, postgresql: str) -> None:
    run = store.create(SMALL, "ann", "t").id
    together(30, lambda _: [store.get(run) for _ in range(20)])
    name = postgresql.rsplit("/", 1)[1]
    count = postgresql_server.ask(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'")[0][0]
    idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%'"
    assert 1 <= count <= 4 and postgresql_server.ask(idle) == [(0,)]


def test_the_settings_say_where_and_sqlite_stays_the_default(postgresql: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HDR_HOME", str(tmp_path))
    assert Database().url == postgresql and PASSWORD not in Database().shown
    assert not list(tmp_path.iterdir()), "nothing is written here"
    monkeypatch.delenv("HDR_STORE")
    assert Database().url == f"sqlite:///{tmp_path / 'runs.sqlite'}"
    assert json.loads(RunStore().create(SMALL, "ann", "t").spec_json)["dataset"] == "bundled"
