"""What Prefect must know before it is imported: no analytics, our log lines in its UI, time for a temporary server."""

from __future__ import annotations

import os

DEFAULTS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "pipeline,warehouse,flows",
    "PREFECT_LOGGING_ROOT_LEVEL": "INFO",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
}


def prepare() -> None:
    """Set the defaults; what the user's environment says wins."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
