"""A Prefect server and its worker as processes that a drill may kill and start again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from socket import socket
from typing import Any, TypeVar

import httpx

T = TypeVar("T")


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(found: Callable[[], T | None], what: str, seconds: float = 600) -> T:
    """Ask until there is something; fail where it takes longer than a busy machine could."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds:g} s in vain for {what}")


class Server:
    """A Prefect server over a database file of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the server, and of who asks it."""
        return {
            **os.environ, "PREFECT_HOME": str(self.folder), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"
        }  # fmt: skip

    def start(self) -> Server:
        """Start it, or start it again, and wait until it is healthy."""
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)  # fmt: skip
        until(self.healthy, "the Prefect server to be healthy")
        return self

    def healthy(self) -> bool:
        """Say whether it answers; fail where it has ended."""
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
        try:
            return httpx.get(f"{self.url}/health", trust_env=False, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """End it as a crash does."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def ask(self, path: str, method: str = "POST", **body: Any) -> Any:
        """Ask the API; again where its database is busy, which it says by 503."""
        for _ in range(20):
            answer = httpx.request(method, f"{self.url}/{path}", json=body or None, trust_env=False, timeout=60)
            if answer.status_code != 503:
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def runs(self) -> list[dict[str, Any]]:
        """Return the flow runs, the oldest first."""
        found: list[dict[str, Any]] = self.ask("flow_runs/filter", limit=200, sort="EXPECTED_START_TIME_ASC")
        return found
