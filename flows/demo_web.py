"""The demo's web on the loopback interface: one small HTTP server an outlet; `demo_web` yields the feeds to poll."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from flows.demo_pages import DemoOutlet, Resource, load_articles, load_outlets, site
from pipeline.records import Feed

HOST = "127.0.0.1"
FIRST_PORT = 18101  # one port an outlet from here, so that URLs and with them ids stay the same from run to run


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD from the server's site, without regard to the query."""

    server: _OutletServer
    server_version = "StancewatchDemo"
    sys_version = ""
    timeout = 10

    def do_GET(self) -> None:
        """Send what the path holds, 304 where the client has it already, or 404."""
        resource = self.server.site.get(self.path.partition("?")[0])
        if resource is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif self.headers.get("If-None-Match") == resource.etag:
            self._send(HTTPStatus.NOT_MODIFIED, resource)
        else:
            self._send(HTTPStatus.OK, resource)

    do_HEAD = do_GET  # noqa: N815 (the name is http.server's)

    def _send(self, status: HTTPStatus, resource: Resource) -> None:
        self.send_response(status)
        self.send_header("ETag", resource.etag)
        if status is HTTPStatus.OK:
            self.send_header("Content-Type", resource.content_type)
            self.send_header("Content-Length", str(len(resource.body)))
        self.end_headers()
        if status is HTTPStatus.OK and self.command == "GET":
            self.wfile.write(resource.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is http.server's)
        """Keep the terminal to the demo's own progress."""


class _OutletServer(ThreadingHTTPServer):
    """A server that carries the site of one outlet."""

    daemon_threads = True
    site: dict[str, Resource]

    @property
    def netloc(self) -> str:
        """Host and port, as URLs and `allow_hosts` write them."""
        return f"{HOST}:{self.server_address[1]}"


def _bind(port: int) -> _OutletServer:
    """Listen on the port, or on any free one where it is taken."""
    try:
        return _OutletServer((HOST, port), _Handler)
    except OSError:
        return _OutletServer((HOST, 0), _Handler)


@contextmanager
def _serving(server: _OutletServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name=server.netloc, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def _feeds(outlet: DemoOutlet, base: str) -> list[Feed]:
    paths = {f"demo-{outlet.id}": "/feed.xml"}
    if outlet.broken_feed:
        paths[f"demo-{outlet.id}-broken"] = "/broken.xml"
    return [
        Feed(
            feed_id=feed_id,
            url=base + path,
            outlet=outlet.name,
            country=outlet.country,
            bloc=outlet.bloc,
            language=outlet.lang,
            ownership=outlet.ownership,
            kind=outlet.kind,
        )
        for feed_id, path in paths.items()
    ]


@contextmanager
def demo_web() -> Iterator[tuple[list[Feed], list[str]]]:
    """Serve the demo's web; yield its feeds and the `host:port` of each server for `allow_hosts`.

    A port that is taken is replaced by a free one; the URLs, and with them the ids, of that outlet differ then.
    """
    articles = load_articles()
    feeds: list[Feed] = []
    hosts: list[str] = []
    with ExitStack() as stack:
        for place, outlet in enumerate(load_outlets()):
            server = stack.enter_context(_bind(FIRST_PORT + place))
            base = f"http://{server.netloc}"
            server.site = site(outlet, articles[outlet.id], base)
            stack.enter_context(_serving(server))
            feeds += _feeds(outlet, base)
            hosts.append(server.netloc)
        yield feeds, hosts
