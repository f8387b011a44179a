"""A real HTTP server on loopback that answers as it is told, and counts."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class Web:
    """Routes by path; unknown paths answer 404."""

    def __init__(self) -> None:
        self.routes: dict[str, Answer] = {}
        self.hits: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.host = ""

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def page(
        self, path: str, body: bytes | str, kind: str = "text/html; charset=utf-8", status: int = 200, **headers: str
    ) -> None:
        data = body.encode() if isinstance(body, str) else body

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in {"content-type": kind, "content-length": str(len(data)), **headers}.items():
                request.send_header(name.replace("_", "-"), value)
            request.end_headers()
            request.wfile.write(data)

        self.routes[path] = answer


@contextmanager
def serve_web() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            web.hits[self.path] += 1
            web.headers.append({name.lower(): value for name, value in self.headers.items()})
            route = web.routes.get(self.path)
            try:
                if route is None:
                    self.send_error(404)
                else:
                    route(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    web.host = f"127.0.0.1:{server.server_port}"
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def drip(request: BaseHTTPRequestHandler) -> None:
    """Send one byte now and then, without an end."""
    request.send_response(200)
    request.send_header("content-type", "text/html")
    request.end_headers()
    for _ in range(600):
        request.wfile.write(b".")
        request.wfile.flush()
        time.sleep(0.1)


def endless(request: BaseHTTPRequestHandler) -> None:
    """Send a body that never ends, as fast as it goes."""
    request.send_response(200)
    request.send_header("content-type", "text/html")
    request.end_headers()
    for _ in range(100_000):
        request.wfile.write(b"<p>more</p>" * 1000)


def slow_redirect(location: str, seconds: float) -> Answer:
    """Answer after a while, and send on to another page."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        request.send_response(302)
        request.send_header("location", location)
        request.send_header("content-length", "0")
        request.end_headers()

    return answer


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
