"""What pages say while the run store's server does not answer."""

from __future__ import annotations

import logging

import pytest
from streamlit.testing.v1 import AppTest

from hdr.ui.shell import store_outage

ERROR = "The run store at postgresql+psycopg://hdr:***@db.inside:5432/runs cannot be reached: connection refused."


def tells() -> None:
    from hdr.store.runs import StoreLostError
    from hdr.ui.shell import store_outage
    from tests.ui.test_store_outage import ERROR

    store_outage.reset()
    store_outage.show_outage(StoreLostError(ERROR))
    store_outage.show_outage(StoreLostError(ERROR))


@pytest.mark.parametrize("kind", ["local", "demo"])
def test_it_is_said_once_and_visitors_are_not_told_where_the_host_keeps_runs(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HDR_PROFILE", kind)
    monkeypatch.setattr(store_outage, "_come_back", lambda: None)
    with caplog.at_level(logging.WARNING):
        app = AppTest.from_function(tells).run()
    assert not app.exception and len(app.error) == 1
    said = app.error[0].value
    assert "cannot be reached" in said
    assert ("inside" in said) == (kind == "local")
    assert (ERROR in caplog.text) == (kind == "demo"), "the host finds it in the log"
