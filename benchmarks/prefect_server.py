"""A Prefect server of its own for a benchmark, over SQLite in a folder, as `stancewatch serve` starts one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs."""

    api: str
    pid: int
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a process that speaks to it has in its environment."""
        return {**os.environ, "PREFECT_HOME": str(self.home), "PREFECT_API_URL": self.api}

    @property
    def bytes(self) -> int:
        """The size of its database, the log that is not yet part of it included."""
        return sum(path.stat().st_size for path in self.home.glob("prefect.db*"))


@contextmanager
def prefect_server(home: Path) -> Iterator[Server]:
    """Start a server and stop it afterwards."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            api = f"http://127.0.0.1:{port}/api"
            _wait_healthy(api, process)
            yield Server(api=api, pid=process.pid, home=home)
        finally:
            process.terminate()
            process.wait()


def _wait_healthy(api: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            if httpx.get(f"{api}/health", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise SystemExit("the Prefect server ended at once; see server.log in its home")
