"""Locks that several machines share: advisory locks of the PostgreSQL server that holds a lake's catalogue.

The server frees a lock when the connection that took it ends, so a process that is killed blocks nobody; where a whole
machine vanishes, it notices within about a minute.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError, WarehouseBusy, WarehouseError

if TYPE_CHECKING:
    import psycopg

MISSING = "DuckLake needs psycopg: pip install 'stancewatch[scale]'"
_KEEPALIVE = {"tcp_keepalives_idle": 30, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}
_HOLDER = """
    SELECT coalesce(nullif(application_name, ''), 'another program') FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pg_locks.database = pg_stat_activity.datid
        AND datname = current_database() AND (classid::bigint << 32) + objid::bigint = %s
"""


def connection_fields(text: str) -> Mapping[str, object]:
    """Return the fields of a libpq connection string; ConfigError where it is none or holds a password."""
    try:
        from psycopg import ProgrammingError  # noqa: PLC0415 - an extra: a warehouse in a file does without
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(MISSING) from error
    try:
        fields = conninfo_to_dict(text)
    except ProgrammingError:
        # Without the cause: its message repeats what may be a password.
        raise ConfigError("warehouse: after ducklake:postgres: comes a connection string of libpq") from None
    if {"password", "sslpassword"} & set(fields):
        raise ConfigError("warehouse: a password does not belong into the target; set PGPASSWORD or write ~/.pgpass")
    return fields


@contextmanager
def database_lock(text: str, what: str, name: str, wait: float) -> Iterator[None]:
    """Hold the lock `name` of a database; WarehouseBusy, with the holder, where somebody has it for more than `wait` seconds."""
    import psycopg  # noqa: PLC0415

    try:
        con = psycopg.connect(text, autocommit=True, application_name=f"stancewatch {name}: {_myself()}")
    except psycopg.Error as error:
        raise WarehouseError(f"{what} cannot be reached: {str(error).strip()}") from error
    with con:
        _take(con, what, name, wait)
        yield


def _take(con: psycopg.Connection, what: str, name: str, wait: float) -> None:
    from psycopg.errors import LockNotAvailable  # noqa: PLC0415

    key = int.from_bytes(hashlib.sha256(f"stancewatch {name}".encode()).digest()[:7], "big")
    for setting, value in {**_KEEPALIVE, "lock_timeout": max(1, round(wait * 1000))}.items():
        con.execute("SELECT set_config(%s, %s, false)", [setting, str(value)])
    try:
        con.execute("SELECT pg_advisory_lock(%s)", [key])
    except LockNotAvailable as error:
        holder = con.execute(_HOLDER, [key]).fetchone()
        who = str(holder[0]) if holder else "somebody who is gone by now"
        raise WarehouseBusy(f"{what} is held by {who}: wait for it or stop it; nothing was lost") from error


def _myself() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"
