"""A running server refuses what must not be sent to it: no token, too much, another site."""

from __future__ import annotations

import asyncio
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.hostile import visitors
from tests.hostile.visitors import ROOT, Listener, announce, answer, put, token

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


def test_the_shipped_configuration_is_on_the_safe_side() -> None:
    server = CONFIG["server"]
    assert server["enableXsrfProtection"] is True
    assert server.get("enableCORS", True) is True
    assert server["maxUploadSize"] <= 30 and server["maxMessageSize"] <= 64
    assert not server.get("enableStaticServing") and not server.get("trustedUserHeaders")
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["browser"]["gatherUsageStats"] is False


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a server keeps its things."""
    return tmp_path_factory.mktemp("hostile") / "home"


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    """The address of a server."""
    with visitors.server(home) as address:
        yield address


def test_uploads_need_the_token_a_session_and_a_size_that_is_allowed(url: str) -> None:
    limit = CONFIG["server"]["maxUploadSize"] * 1024 * 1024

    async def visit() -> None:
        async with Listener(url, "draw") as visitor:
            place = urljoin(url, (await visitor.place("a.png")).upload_url)
            good = token(url)
            assert good
            sent = asyncio.to_thread
            assert await sent(put, place, "a.png", b"x", "") == 403
            assert await sent(put, place, "a.png", b"x", good, "") == 403
            assert await sent(put, place, "a.png", b"x", good, "2|" + "0" * 8 + "|" + "0" * 32 + "|1") == 403
            assert await sent(announce, place, limit + 1, good) == 413
            assert await sent(put, place.replace(visitor.session, "0" * 36), "a.png", b"x", good) == 400
            assert await sent(put, place, "a.png", b"x", good) == 204

    asyncio.run(visit())


def test_another_site_opens_no_connection(url: str) -> None:
    async def knock() -> None:
        address = url.replace("http", "ws", 1) + "/_stcore/stream"
        with pytest.raises((InvalidStatus, ConnectionError)):
            async with connect(address, origin="https://evil.example", subprotocols=["streamlit"]):
                pass

    asyncio.run(knock())


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/static/../../../../etc/passwd",
        "/app/static/../../streamlit_app.py",
        "/media/../../.streamlit/config.toml",
        "/media/%00",
        "/_stcore/bidi-components/hdr_lens/../../../../etc/passwd",
        "/component/x/../../../etc/passwd",
        "/.streamlit/secrets.toml",
        "/streamlit_app.py",
        "/runs.sqlite",
    ],
)
def test_no_address_leads_to_a_file_that_is_not_for_visitors(url: str, path: str) -> None:
    status, content, _ = answer(urllib.request.Request(url + path))
    # An address that is none is answered with the app's own page, as that of every page of it.
    assert status in (400, 403, 404) or b'<div id="root">' in content
    assert b"root:x:" not in content and b"set_page_config" not in content and b"enableXsrf" not in content


def test_what_is_no_message_ends_the_connection_and_nothing_else(url: str) -> None:
    async def knock() -> None:
        address = url.replace("http", "ws", 1) + "/_stcore/stream"
        for data in (b"\xff" * 50, b"", b"\x0a" + b"\x80" * 20, "text"):
            async with connect(address, subprotocols=["streamlit"], max_size=None) as connection:
                await connection.send(data)
                await asyncio.sleep(0.1)
        async with Listener(url, "draw") as visitor:
            assert not visitor.errors

    asyncio.run(knock())


def test_nothing_of_all_this_is_a_fault_of_the_app(url: str, home: Path) -> None:
    assert "/hdr/" not in (home / "server.log").read_text(errors="replace"), "no traceback leads through our code"
