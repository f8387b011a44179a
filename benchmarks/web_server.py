#!/usr/bin/env python3
"""The generated web on loopback, in a process of its own: one port a host, validators, robots.txt, keep-alive.

    python benchmarks/web_server.py --hosts 2 --feeds 4 --pages 40

The first line of its output is the list of its ports as JSON; it serves until its standard input is closed.
`served` does that for a benchmark, and yields the web's feeds and addresses.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from web_pages import Shape, feed, feed_path, language, page, page_path

from pipeline.records import Feed

ROBOTS = b"User-agent: *\nDisallow: /private/\n"
PAGE, FEED = re.compile(r"/\d{4}/\d\d/\d\d/(\d+)-story\.html"), re.compile(r"/feeds/(\d+)\.xml")
BLOCS = (("US", "us"), ("DE", "eu"), ("FR", "eu"), ("ES", "eu"), ("CN", "china"))
Answer = tuple[str, bytes]  # content type, body


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """A web that is being served."""

    shape: Shape
    ports: tuple[int, ...]

    @classmethod
    def of(cls, said: dict[str, Any]) -> Web:
        """Return the web that another process serves: {shape, ports}."""
        return cls(shape=Shape(**said["shape"]), ports=tuple(said["ports"]))

    def base(self, host: int) -> str:
        """Return the address of a host."""
        return f"http://127.0.0.1:{self.ports[host]}"

    @property
    def hosts(self) -> list[str]:
        """`host:port` of each host."""
        return [f"127.0.0.1:{port}" for port in self.ports]

    @property
    def urls(self) -> list[str]:
        """The addresses of all pages."""
        return [self.base(self.shape.host_of_page(n)) + page_path(n) for n in range(self.shape.pages)]

    @property
    def feeds(self) -> list[Feed]:
        """The feeds, five to an outlet by default."""
        return [self._feed(n) for n in range(self.shape.feeds)]

    def _feed(self, number: int) -> Feed:
        host = number % self.shape.hosts
        country, bloc = BLOCS[host % len(BLOCS)]
        return Feed(feed_id=f"generated-{number}", url=self.base(host) + feed_path(number), outlet=f"Outlet {host}",
                    country=country, bloc=bloc, language=language(host), ownership="private", kind="news")  # fmt: skip


@contextmanager
def served(shape: Shape) -> Iterator[Web]:
    """Serve a web from another process, whose time is not that of this one or its children that are waited for."""
    flags = [f"--{name}={value}" for name, value in asdict(shape).items()]
    command = [sys.executable, __file__, *flags]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Web(shape=shape, ports=tuple(json.loads(process.stdout.readline())))
        process.communicate()  # closes its input, which ends it


def answer(shape: Shape, base: str, path: str) -> Answer | None:
    """Return what a path of a host holds."""
    if path == "/robots.txt":
        return "text/plain", ROBOTS
    if (found := PAGE.fullmatch(path)) and int(found[1]) < shape.pages:
        return "text/html; charset=utf-8", page(shape, int(found[1]), base)
    if (found := FEED.fullmatch(path)) and int(found[1]) < shape.feeds:
        return "application/rss+xml", feed(shape, int(found[1]), base)
    return None


async def _converse(shape: Shape, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, one after the other."""
    base = f"http://127.0.0.1:{writer.get_extra_info('sockname')[1]}"
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            method, path, _ = first.split(" ")
            writer.write(_response(answer(shape, base, path.partition("?")[0]), headers, whole=method == "GET"))
            await writer.drain()
            if headers.get("connection", "").lower() == "close":
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def _response(found: Answer | None, headers: dict[str, str], *, whole: bool) -> bytes:
    if found is None:
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    kind, body = found
    tag = f'"{sha256(body).hexdigest()[:20]}"'
    if headers.get("if-none-match") == tag:
        return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nETag: {tag}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + (body if whole else b"")


async def _serve(shape: Shape) -> None:
    servers = [
        await asyncio.start_server(lambda reader, writer: _converse(shape, reader, writer), "127.0.0.1", 0)
        for _ in range(shape.hosts)
    ]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await asyncio.to_thread(sys.stdin.read)


def add_shape(parser: argparse.ArgumentParser, **defaults: int) -> None:
    """Add the flags that say how large the web is."""
    for one in fields(Shape):
        parser.add_argument(f"--{one.name}", type=int, default=defaults.get(one.name, one.default))


def shape_of(args: argparse.Namespace) -> Shape:
    """Return what the flags say."""
    return Shape(**{one.name: getattr(args, one.name) for one in fields(Shape)})


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_shape(parser)
    asyncio.run(_serve(shape_of(parser.parse_args())))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
