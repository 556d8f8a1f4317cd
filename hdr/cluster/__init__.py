"""What several machines share: a database server, a place for models, and a Dask cluster.

The core knows none of it. Entry points call `register` before they open the run store.
"""

from __future__ import annotations

from hdr import settings
from hdr.jobs import scheduler
from hdr.store import artifacts, database


def register() -> None:
    """Register with the core what the settings ask for; it may be called any number of times.

    Raises:
        SettingsError: a setting has a value that it cannot have.
    """
    rules = settings.current()
    # Each is imported only where it is used: a server on its own does not pay for it.
    if rules.store and database.is_server(rules.store.get_secret_value()):
        from hdr.cluster import postgresql

        database.register_server("postgresql", postgresql)
    if rules.artifacts and artifacts.local_folder(rules.artifacts.get_secret_value()) is None:
        from hdr.cluster.fsspec_artifacts import remote

        artifacts.register_remote(remote)
    if rules.dask:
        from hdr.cluster.dask_scheduler import ClusterProcesses

        scheduler.register_scheduler(ClusterProcesses)
