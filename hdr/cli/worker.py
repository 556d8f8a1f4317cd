"""The training process: ``python -m hdr.cli.worker``. It does what `hdr.jobs.worker` describes, with what the
settings ask of `hdr.cluster`."""

from __future__ import annotations

import logging
import os

from hdr import cluster
from hdr.jobs import worker


def main() -> int:
    """Register the cluster where settings ask for it, then wait for a run or a search, and do it."""
    cluster.register()
    return worker.main()


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    # A fit that was left behind, since what was finished before it is kept, would hold up an orderly end.
    os._exit(code)
