"""A bucket on loopback that speaks as much of S3 as DuckDB asks for: put, get a range, head, list and delete."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Bucket:
    """What was put, by path."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.host = ""
        self.signed_by: set[str] = set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket: Bucket

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        signed = re.search(r"Credential=([^/]+)/", self.headers.get("authorization", ""))
        self.bucket.signed_by.add(signed.group(1) if signed else "")
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), "etag": '"x"', **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        self.bucket.objects[unquote(self.path)] = self.rfile.read(int(self.headers["content-length"]))
        self.answer(200)

    def do_GET(self) -> None:
        path, query = unquote(urlsplit(self.path).path), parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self.answer(200, self.listing(path, query.get("prefix", [""])[0]), content_type="application/xml")
        elif path in self.bucket.objects:
            self.send_range(self.bucket.objects[path])
        else:
            self.answer(404)

    do_HEAD = do_GET  # noqa: N815 (the name is http.server's)

    def send_range(self, body: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        if asked is None:
            self.answer(200, body, accept_ranges="bytes")
        else:
            first, last = int(asked.group(1)), min(int(asked.group(2)), len(body) - 1)
            self.answer(206, body[first : last + 1], content_range=f"bytes {first}-{last}/{len(body)}")

    def listing(self, path: str, prefix: str) -> bytes:
        root = path.rstrip("/") + "/"
        found = [name.removeprefix(root) for name in sorted(self.bucket.objects) if name.startswith(root + prefix)]
        keys = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>"
            for key in found
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{keys}</ListBucketResult>".encode()

    def do_POST(self) -> None:
        """Delete the keys that the body lists."""
        asked = self.rfile.read(int(self.headers["content-length"])).decode()
        for key in re.findall(r"<Key>(.*?)</Key>", asked):
            self.bucket.objects.pop(f"{unquote(urlsplit(self.path).path).rstrip('/')}/{key}", None)
        self.answer(200, b"<DeleteResult></DeleteResult>", content_type="application/xml")

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def serve_bucket() -> Iterator[Bucket]:
    bucket = Bucket()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"bucket": bucket}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    bucket.host = f"127.0.0.1:{server.server_port}"
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
