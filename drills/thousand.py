"""A thousand feeds of which one is poison."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from drills.world import World, ask
from flows.demo_web import HOST
from pipeline.feeds import feeds_toml

FEEDS = 1000
ITEM = '<?xml version="1.0"?><rss version="2.0"><channel><title>F</title><item><title>T{n}</title><link>http://{host}/page{n}</link></item></channel></rss>'
POISON = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in range(ord("b"), ord("k"))
) + b"]><rss><channel><title>&j;</title>" + b"<item>" * 50_000 + b"\xff\xfe\x00"  # fmt: skip


class _Feeds(BaseHTTPRequestHandler):
    """Feed n at /n; the one in the middle is poison. Pages are not there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        found = name.isdigit()
        host = self.headers["Host"]
        body = POISON if name == str(FEEDS // 2) else ITEM.format(n=name, host=host).encode() if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is http.server's)
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    """Serve the feeds; yield host and port."""
    server = ThreadingHTTPServer((HOST, 0), _Feeds)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()


def poisoned_feed_among_a_thousand(world: World) -> str:
    """One of a thousand feeds is poison: nested entities, fifty thousand open elements, no Unicode.

    Asserted: the pass ends with status 0; 999 feeds are read and their entries have outcomes; the poisoned one is an error that is
    logged, and asked again later.
    """
    warehouse = world.new("thousand")
    with serving() as netloc:
        listing = world.folder / "thousand.toml"
        feeds = [replace(world.feeds[0], feed_id=f"f{n}", url=f"http://{netloc}/{n}") for n in range(FEEDS)]
        listing.write_text(feeds_toml(feeds), encoding="utf-8")
        ended = world.run(warehouse, listing=str(listing), STANCEWATCH_ALLOW_HOSTS=f'["{netloc}"]', STANCEWATCH_BATCH_SIZE="500", STANCEWATCH_HOST_REQUESTS_A_DAY="9999")  # fmt: skip
    polls = dict(ask(warehouse, "SELECT outcome, count(*) FROM poll GROUP BY outcome"))
    assert polls == {"ok": FEEDS - 1, "error": 1}, polls
    ((rejected,),) = ask(warehouse, "SELECT count(*) FROM entry WHERE outcome = 'rejected' AND reason = 'http_404'")
    assert rejected == FEEDS - 1, rejected
    ((why, again),) = ask(warehouse, "SELECT error, next_poll_at > polled_at FROM poll WHERE outcome = 'error'")
    assert again
    assert f"feed f{FEEDS // 2} " in ended.said
    return f"status 0, {FEEDS - 1} feeds read; the poisoned one “{why[:80]}”, asked again later"
