"""Everything on one machine: Prefect server, deployments and a worker, stopped in the right order by one signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import httpx

from flows.bootstrap import POOL, bootstrap
from pipeline.errors import ConfigError

HEALTHY_WITHIN = 180.0  # seconds: a busy machine needs 20 and more


def serve(port: int) -> int:
    """Run until SIGINT or SIGTERM, or until a part ends by itself; return the exit status."""
    api = f"http://127.0.0.1:{port}/api"
    environment = {**os.environ, "PREFECT_API_URL": api}
    stop = _Signals()
    with part("server", environment, "server", "start", "--host", "127.0.0.1", "--port", str(port)) as server:
        _wait_healthy(api, server, stop)
        if stop.caught:
            return 0
        bootstrap(api, print, os.environ.get("STANCEWATCH_ALERT_URL"))
        with part("worker", environment, "worker", "start", "--pool", POOL, "--name", "stancewatch-worker") as worker:
            print(f"Stancewatch is running. UI: http://127.0.0.1:{port}  Stop: Ctrl-C", flush=True)
            while not stop.caught and server.poll() is None and worker.poll() is None:
                time.sleep(0.2)
    return 0 if stop.caught else 1


@contextmanager
def part(name: str, environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Prefect process in its own group, so that Ctrl-C reaches it only in our order."""
    command = [sys.executable, "-m", "prefect", *arguments]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        print(f"stopping the {name}", flush=True)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class _Signals:
    """Remembers that we were asked to stop."""

    def __init__(self) -> None:
        self.caught = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._catch)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        self.caught = True


def _wait_healthy(api: str, server: subprocess.Popen[bytes], stop: _Signals) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN
    while time.monotonic() < deadline and not stop.caught:
        if server.poll() is not None:
            raise ConfigError("the Prefect server ended at once; its message is above (is the port taken?)")
        try:
            if httpx.get(f"{api}/health", timeout=2.0, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    if not stop.caught:
        raise ConfigError(f"the Prefect server did not become healthy within {HEALTHY_WITHIN:g} s")
