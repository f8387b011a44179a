"""What Prefect must know before it is imported: no analytics, our log lines in its UI, time for a temporary server."""

from __future__ import annotations

import logging
import os

ROOMS = ("pipeline", "warehouse", "flows")
DEFAULTS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(ROOMS),
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",  # our rooms speak outside of runs too, and from other threads
    # a server that runs on forgets runs, their logs and artifacts after a month, not only events after a week
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(30 * 86_400),
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    # Prefect keeps in memory which run has which slot: a server that is started again would end the runs that go on, and
    # the slot of one that died would be taken for ever (3.8.8)
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
}


def prepare() -> None:
    """Set the defaults; what the user's environment says wins. What this process writes is its owner's alone to read."""
    os.umask(0o077)
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if secret := os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):  # our own parts ask the server with it too
        os.environ.setdefault("PREFECT_API_AUTH_STRING", secret)
    for room in ROOMS:  # a level of their own: at the root's INFO every request of every library would speak
        logging.getLogger(room).setLevel(logging.INFO)
