"""The machine under a pass: a disk that is full, a clock that is wrong, a network or name server that is gone, a host that hangs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from warcio.archiveiterator import ArchiveIterator

from drills.victim import hang
from drills.world import ROOT, Ended, World, ask
from flows.demo_web import HOST
from pipeline.feeds import feeds_toml

LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1")  # fmt: skip


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own that holds so much; grown by `grow`."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def grow(folder: Path, megabytes: int) -> None:
    """Make room."""
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", str(folder)], check=True)


def disk_full(world: World) -> str:
    """The disk (a tmpfs of 1 to 9 MB) is full: at the first write, while pages are kept, loaded, and published.

    Asserted: each pass ends with status 1 and says that the disk takes no more; with room, the next pass is whole.
    """
    seen = []
    with small_disk(world.folder / "disk", 1) as folder:
        warehouse = folder / "w.duckdb"
        for megabytes in (1, 5, 9):
            grow(folder, megabytes)
            ended = world.start(warehouse).wait()
            if ended.status == 0:
                break
            assert ended.status == 1, ended.said[-3000:]
            assert "the disk takes no more" in ended.said, ended.said[-3000:]
            seen.append(f"{megabytes} MB")
        assert seen
        grow(folder, 200)
        world.run(warehouse)
        world.whole(warehouse)
    return f"full at {', '.join(seen)}: status 1 and “the disk takes no more”; with room whole"


def disk_full_where_it_hurts(world: World) -> str:
    """A write finds no room in the middle of a WARC append, of a load and of a publication (ENOSPC, injected).

    Asserted: the pass ends with status 1 and says so; the next pass is whole, and every WARC file can be read to its end.
    """
    seen = []
    for point in ("warc:2", "load:4", "publish"):
        warehouse = world.new(f"room-{point.partition(':')[0]}")
        ended = world.start(warehouse, (point, "no_room")).wait()
        assert ended.status == 1, f"{point}: {ended.said[-3000:]}"
        assert "the disk takes no more" in ended.said, f"{point}: {ended.said[-3000:]}"
        world.run(warehouse)
        world.whole(warehouse)
        assert readable(warehouse.parent / "warc") > 0
        seen.append(point.partition(":")[0])
    return f"{', '.join(seen)}: status 1 and “the disk takes no more”; the next pass whole, WARC files whole"


def readable(folder: Path) -> int:
    """Read every WARC file below a folder to its end; return how many records there are."""
    count = 0
    for path in folder.rglob("*.warc.gz"):
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream):
                record.content_stream().read()
                count += 1
    return count


def faked(offset: str) -> dict[str, str]:
    """Return the environment of a process whose clock is off by so much."""
    named = os.environ.get("FAKETIME_LIB")
    library = named or next((path for path in LIBRARIES if Path(path).exists()), None)
    assert library, "libfaketime is missing: apt-get install libfaketime, or name it by FAKETIME_LIB"
    return {"LD_PRELOAD": library, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def due(world: World, warehouse: Path, **more: str) -> Ended:
    """Make a pass over the feeds that are due, not over all."""
    command = [sys.executable, "-m", "flows.cli", "run", "--feeds", str(world.listing), "--warehouse", str(warehouse)]
    environment = world.environment(**more)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return Ended(status=done.returncode, said=done.stdout + done.stderr)


def clock_set_back(world: World) -> str:
    """The clock is 300 days ahead during a pass that is killed once its feeds are polled, then right again.

    Asserted: the next pass asks every feed, not only those that are due by the wrong clock, and is whole; loads are in order.
    """
    warehouse = world.new("clock")
    ended = world.start(warehouse, ("fetch:2", "SIGKILL"), **faked("+300d")).wait()
    assert ended.status == -9, ended.said[-3000:]
    ahead = ask(warehouse, "SELECT count(*) FROM feed_schedule WHERE decided_at > now() + INTERVAL 200 DAY")[0][0]
    assert ahead == len(world.feeds), ahead
    ended = due(world, warehouse)
    assert ended.status == 0, ended.said[-3000:]
    assert f"{ahead} of {ahead} feeds are due" in ended.said, ended.said[-3000:]
    assert ask(warehouse, "SELECT count(*) FROM feed_schedule WHERE decided_at > now()") == [(0,)]
    assert ask(warehouse, "SELECT count(*) FROM feed WHERE next_poll_at > now() + INTERVAL 40 DAY") == [(0,)]
    world.whole(warehouse)
    (newest,) = ask(warehouse, "SELECT run.load_id = (SELECT arg_max(load_id, loaded_at) FROM load) FROM run ORDER BY finished_at DESC LIMIT 1")  # fmt: skip
    assert newest == (True,), "the end of the pass is the newest load"
    return f"all {ahead} feeds were due at once by the right clock; whole"


NO_NAMES = 'mount --bind {hosts} /etc/hosts && mount --bind {resolver} /etc/resolv.conf && exec "$@"'


def name_server_down(world: World) -> str:
    """Feeds and pages are under names, and the name server does not answer (in a mount namespace), then does.

    Asserted: the pass ends with status 1, blames no feed and no page (no strain, no attempt); the next pass is whole.
    """
    warehouse = world.new("names")
    names = {feed.url.split("/")[2]: feed.url.split("/")[2].replace(HOST, f"outlet{n}.drill.example") for n, feed in enumerate(world.feeds)}  # fmt: skip
    listing = world.folder / "named.toml"
    listing.write_text(feeds_toml([replace(feed, url=feed.url.replace(host := feed.url.split("/")[2], names[host])) for feed in world.feeds]))  # fmt: skip
    hosts, down = world.folder / "hosts", world.folder / "no-names"
    hosts.write_text("".join(f"127.0.0.1 {name.partition(':')[0]}\n" for name in names.values()) + "127.0.0.1 localhost\n")  # fmt: skip
    down.write_text("127.0.0.1 localhost\n")
    allowed = str([*names.values(), *names]).replace("'", '"')
    ended = named_pass(world, warehouse, listing, down, allowed)
    assert ended.status == 1, ended.said[-3000:]
    assert "offline: name_server" in ended.said, ended.said[-3000:]
    assert ask(warehouse, "SELECT count(*) FROM feed_schedule WHERE strain > 0") == [(0,)]
    ended = named_pass(world, warehouse, listing, hosts, allowed)
    assert ended.status == 0, ended.said[-3000:]
    world.whole(warehouse)
    return "status 1, “offline: name_server”, no feed strained; with names again whole"


def named_pass(world: World, warehouse: Path, listing: Path, hosts: Path, allowed: str) -> Ended:
    """Make a pass that knows no names but those of a hosts file."""
    resolver = world.folder / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    inner = [sys.executable, "-m", "flows.cli", "run", "--all", "--feeds", str(listing), "--warehouse", str(warehouse)]
    script = NO_NAMES.format(hosts=hosts, resolver=resolver)
    command = ["unshare", "--mount", "sh", "-c", script, "sh", *inner]
    environment = world.environment(STANCEWATCH_ALLOW_HOSTS=allowed)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    return Ended(status=done.returncode, said=done.stdout + done.stderr)


def network_down(world: World) -> str:
    """No address can be reached (injected where connections are made) while entries wait for their pages, then all.

    Asserted: the pass ends with status 1 and says that no host could be reached; no entry has lost an attempt; the next pass
    is whole.
    """
    warehouse = world.new("network")
    struck = world.start(warehouse, ("fetch:2", "SIGKILL")).wait()
    assert struck.status == -9, struck.said[-3000:]
    ended = world.start(warehouse, ("connect:0", "unreachable")).wait()
    assert ended.status == 1, ended.said[-3000:]
    assert "no host could be reached" in ended.said, ended.said[-3000:]
    assert ask(warehouse, "SELECT count(*) FROM entry WHERE outcome = 'pending' AND attempts > 0") == [(0,)]
    ((waiting,),) = ask(warehouse, "SELECT count(*) FROM entry WHERE outcome = 'pending'")
    assert waiting > 0
    world.run(warehouse)
    world.whole(warehouse)
    return f"status 1, “no host could be reached”, {waiting} entries kept their attempts; the next pass whole"


class _Hanging(BaseHTTPRequestHandler):
    """Accepts every request and never answers."""

    def do_GET(self) -> None:
        hang()


def one_host_hangs(world: World) -> str:
    """One host accepts connections and never answers; its feed is one of eleven.

    Asserted: the pass ends with status 0 within the others' time and one time-out, says which feed hung, and has loaded everything else.
    """
    warehouse = world.new("hanging")
    server = ThreadingHTTPServer((HOST, 0), _Hanging)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        netloc = f"{HOST}:{server.server_address[1]}"
        hung = replace(world.feeds[0], feed_id="hung", url=f"http://{netloc}/feed.xml")
        listing = world.folder / "hanging.toml"
        listing.write_text(feeds_toml([*world.feeds, hung]), encoding="utf-8")
        allowed = str([*world.hosts, netloc]).replace("'", '"')
        ended = world.run(
            warehouse, listing=str(listing), STANCEWATCH_ALLOW_HOSTS=allowed, STANCEWATCH_REQUEST_TIMEOUT="5"
        )
    finally:
        server.shutdown()
    assert "feed hung" in ended.said
    assert ask(warehouse, "SELECT count(*) FROM poll WHERE feed_id = 'hung' AND error LIKE 'timeout%'") == [(1,)]
    world.whole(warehouse)
    return "status 0; the feed is logged as timeout, all others loaded"
