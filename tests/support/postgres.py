"""A real PostgreSQL server of the tests' own: on a socket in a temporary folder, run by a user without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

MISSING = "no PostgreSQL (initdb) on this machine: install it, on Debian with `apt-get install postgresql`"
PASSWORD = "of the tests alone"
_numbers = count(1)


def find_postgres() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest where there are several."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    return max((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=None)


class Postgres:
    """A running server; each lake gets a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new_database(self) -> str:
        """Create a database and return its connection string, without the password."""
        name = f"lake{next(_numbers)}"
        with psycopg.connect(self.text("postgres"), autocommit=True) as con:
            con.execute(f'CREATE DATABASE "{name}"')
        return self.text(name)

    def text(self, name: str) -> str:
        return f"dbname={name} host={self.folder} user=stancewatch"


@contextmanager
def serve_postgres(programs: Path) -> Iterator[Postgres]:
    """Start a server and stop it; whoever connects in between needs PGPASSWORD, which is set as long."""
    folder = Path(tempfile.mkdtemp(prefix="stancewatch-"))  # short: the path of a socket has at most 107 bytes
    secret = folder / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    user = _plain_user()
    if user:
        for path in (folder, secret):
            shutil.chown(path, user)
    data, options = folder / "data", f"-k {folder} -c listen_addresses= -c fsync=off"
    create: list[str | Path] = [
        "initdb",
        "-D",
        data,
        "-U",
        "stancewatch",
        "-A",
        "scram-sha-256",
        "--pwfile",
        secret,
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    start: list[str | Path] = ["pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start"]
    try:
        for command in (create, start):
            _run(programs, user, command)
        os.environ["PGPASSWORD"] = PASSWORD
        yield Postgres(folder)
    finally:
        os.environ.pop("PGPASSWORD", None)
        _run(programs, user, ["pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def _plain_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid():
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _run(programs: Path, user: str | None, command: list[str | Path]) -> None:
    done = subprocess.run(
        [programs / command[0], *command[1:]], user=user, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
