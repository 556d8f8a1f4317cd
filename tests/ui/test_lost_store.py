"""What pages say while the run store's server does not answer."""

from __future__ import annotations

import logging

import pytest
from streamlit.testing.v1 import AppTest

from hdr.ui import lost_store

ERROR = "The run store at postgresql+psycopg://hdr:***@db.inside:5432/runs cannot be reached: connection refused."


def tells() -> None:
    from hdr.training.store import StoreLost
    from hdr.ui import lost_store
    from tests.ui.test_lost_store import ERROR

    lost_store.begin()
    lost_store.tell(StoreLost(ERROR))
    lost_store.tell(StoreLost(ERROR))


@pytest.mark.parametrize("kind", ["local", "demo"])
def test_it_is_said_once_and_visitors_are_not_told_where_the_host_keeps_runs(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HDR_PROFILE", kind)
    monkeypatch.setattr(lost_store, "_come_back", lambda: None)
    with caplog.at_level(logging.WARNING):
        app = AppTest.from_function(tells).run()
    assert not app.exception and len(app.error) == 1
    said = app.error[0].value
    assert "cannot be reached" in said
    assert ("inside" in said) == (kind == "local")
    assert (ERROR in caplog.text) == (kind == "demo"), "the host finds it in the log"
