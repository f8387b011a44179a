"""A server on loopback that writes what it is told, byte by byte: for answers that no HTTP library would make."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

Step = bytes | float | None  # bytes to write, seconds to pause, or None: reset the connection
Script = Callable[[], Iterable[Step]]


class RawWeb:
    """Scripts by path; the path `*` answers what no other does, and what nothing answers is a 404."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {"/robots.txt": answer(b"", status="404 None")}
        self.hits: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()  # bytes
        self.host = ""
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"


def answer(body: bytes, *headers: str, status: str = "200 OK", kind: str = "text/html") -> Script:
    """An answer as it should be, closed at its end."""
    head = [
        f"HTTP/1.1 {status}",
        f"content-type: {kind}",
        f"content-length: {len(body)}",
        "connection: close",
        *headers,
    ]
    return lambda: ["\r\n".join([*head, "", ""]).encode() + body]


@contextmanager
def serve_raw(tls: ssl.SSLContext | None = None) -> Iterator[RawWeb]:
    web, over = RawWeb(), threading.Event()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # of a client that has seen enough
                connection = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                with connection:
                    converse(connection)

    def converse(connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            if not (more := connection.recv(65_536)):
                return
            request += more
        path = request.split(b" ", 2)[1].decode()
        web.hits[path] += 1
        for step in web.scripts.get(path, web.scripts.get("*", answer(b"", status="404 None")))():
            if over.is_set() or step is None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if isinstance(step, float):
                over.wait(step)
            else:
                connection.sendall(step)
                web.sent[path] += len(step)

    server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    web.host = f"127.0.0.1:{server.server_address[1]}"
    web.scheme = "https" if tls else "http"
    try:
        yield web
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
