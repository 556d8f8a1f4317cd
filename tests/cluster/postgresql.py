"""A real PostgreSQL on 127.0.0.1, as Debian's package brings it, for as long as the tests run."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from hdr import cluster

USER, PASSWORD = "hdr", "hunter2-hunter2"


@cache
def programs() -> Path | None:
    """The folder of initdb and pg_ctl; None where there is no PostgreSQL here. Debian keeps them out of the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name.split(".")[0]))
    found = shutil.which("initdb")
    return debian[-1] if debian else Path(found).resolve().parent if found else None


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """A server with a folder of its own.

    Args:
        folder: readable by the one who is to run it, who is never root: PostgreSQL refuses that.
        durable: whether what it has acknowledged is on the disk, as it has to be where that matters.
    """

    def __init__(self, folder: Path, durable: bool = False) -> None:
        self._folder, self._data = folder, folder / "data"
        self.port = free_port()
        self._count = itertools.count()
        self._user = None
        if os.getuid() == 0:
            self._user = pwd.getpwnam("postgres" if "postgres" in {u.pw_name for u in pwd.getpwall()} else "nobody")
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        word = folder / "password"
        word.write_text(PASSWORD)
        word.chmod(0o644)
        # What is not on a disk when the machine fails does not matter to tests.
        self._run(
            "initdb",
            *("--no-sync", "--encoding=UTF8", "--locale=C", f"--username={USER}", f"--pwfile={word}"),
            *("--auth-host=scram-sha-256", "--auth-local=trust", f"--pgdata={self._data}"),
        )
        with open(self._data / "postgresql.conf", "a") as file:
            file.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{folder}'\n"
                "synchronous_commit = on\nmax_connections = 200\n"
                + ("" if durable else "fsync = off\nfull_page_writes = off\n")
            )

    def start(self) -> None:
        """Start it; returns when it answers."""
        log = self._folder / "log"
        self._run("pg_ctl", f"--pgdata={self._data}", f"--log={log}", "--wait", "--timeout=60", "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it, whoever is connected: in order (fast), or as if the machine had failed (immediate)."""
        self._run("pg_ctl", f"--pgdata={self._data}", f"--mode={how}", "--wait", "stop")

    def url(self, database: str, password: str = PASSWORD) -> str:
        """Where one of its databases is."""
        return f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def fresh(self) -> str:
        """Make an empty database; returns its name."""
        name = f"fresh{next(self._count)}"
        self.ask(f"CREATE DATABASE {name}")
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.ask(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def ask(self, statement: str, database: str = "postgres") -> list[tuple]:
        """What it answers to an SQL statement of its owner's."""
        import psycopg

        address = self.url(database).replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []

    def _run(self, program: str, *arguments: str) -> None:
        folder = programs()
        assert folder is not None
        who = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}
        # Not to a pipe: the server would keep it open, and nobody would ever see its end.
        with tempfile.TemporaryFile() as said:
            ended = subprocess.run(
                [folder / program, *arguments], cwd=self._folder, stdout=said, stderr=said, timeout=120, **who
            )
            said.seek(0)
            assert ended.returncode == 0, said.read().decode(errors="replace")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A server that runs; whoever stops it starts it again."""
    pytest.importorskip("psycopg")
    if programs() is None:
        pytest.skip("there is no PostgreSQL here: apt install postgresql")
    # Not pytest's own folder: only its user may look into that.
    with tempfile.TemporaryDirectory(prefix="hdr-postgresql-") as name:
        Path(name).chmod(0o755)
        server = Server(Path(name))
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


@pytest.fixture
def postgresql(postgresql_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty database, which `HDR_STORE` names for this test and the processes that it starts."""
    name = postgresql_server.fresh()
    monkeypatch.setenv("HDR_STORE", postgresql_server.url(name))
    cluster.register()
    yield postgresql_server.url(name)
    postgresql_server.drop(name)
