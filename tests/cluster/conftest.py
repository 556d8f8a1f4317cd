"""What goes past one machine, with real servers on 127.0.0.1: ``make test-cluster``.

Where requirements/cluster.txt is not installed nothing here is collected.
"""

from __future__ import annotations

from importlib.util import find_spec

from tests.browser.conftest import browser as browser
from tests.browser.conftest import page as page
from tests.browser.conftest import tabs as tabs
from tests.cluster.postgresql import postgresql as postgresql
from tests.cluster.postgresql import postgresql_server as postgresql_server

if not all(find_spec(name) for name in ("psycopg", "distributed", "fsspec")):
    collect_ignore_glob = ["test_*.py"]
