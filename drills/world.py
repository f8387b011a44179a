"""What drills act upon: the demo's web, passes over it as processes, and the warehouse of an undisturbed pass to compare with."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from drills.server import Server, until
from pipeline.feeds import feeds_toml
from pipeline.records import Feed
from warehouse.query import run_checks

ROOT = Path(__file__).parent.parent
CONTENT = {
    "documents": "SELECT document_id, canonical_url, title, text_hash, outlet_id, lang FROM document ORDER BY ALL",
    "relevance": "SELECT document_id, p, label, abstain FROM relevance_label ORDER BY ALL",
    "topics": "SELECT document_id, topic, p, label FROM topic_label ORDER BY ALL",
    "stances": "SELECT document_id, target, p_favor, p_against, p_neutral, label, abstain FROM stance_label ORDER BY ALL",
    "evidence": "SELECT document_id, target, rank, sentence_start, sentence_end, text FROM evidence ORDER BY ALL",
    "stories": "SELECT document_id, story_id, parent_id, link, similarity FROM current_story ORDER BY ALL",
    "outcomes": "SELECT entry_id, outcome, reason FROM entry ORDER BY ALL",
    "winners": "SELECT document_id, entry_id, feed_id FROM document ORDER BY ALL",
}  # fmt: skip


def ask(warehouse: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask a warehouse."""
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended: its exit status, and what it said on both streams."""

    status: int
    said: str

    @property
    def last(self) -> str:
        """The last line that says something."""
        return next((line.strip() for line in reversed(self.said.splitlines()) if line.strip()), "")


class Running:
    """A process in a session of its own, so that what it leaves behind can be found."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self) -> Ended:
        """Wait for its end."""
        return Ended(status=self.process.wait(), said=self.said)

    def left(self) -> list[str]:
        """Return the command lines of the processes of its session that still run."""
        return [
            line for pid, line in sessions(self.process.pid) if pid != self.process.pid or self.process.poll() is None
        ]

    def nobody_left(self) -> None:
        """Fail where a process of its session outlives it by more than moments."""
        until(lambda: not self.left(), f"the end of {self.left()}", 60)


def sessions(session: int) -> list[tuple[int, str]]:
    """Return (pid, command line) of the live processes of a session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, its = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(its) == session and state != "Z":
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append((int(folder.name), line[:200]))
        except (OSError, ValueError):
            continue
    return found


class World:
    """The demo's web and a Prefect server, with a folder for the warehouses of drills."""

    def __init__(self, folder: Path, feeds: list[Feed], hosts: list[str], server: Server) -> None:
        self.folder = folder
        self.feeds = feeds
        self.hosts = hosts
        self.server = server
        self.listing = folder / "feeds.toml"
        self.listing.write_text(feeds_toml(feeds), encoding="utf-8")
        self._runs = 0

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a pass: many small batches, so that a fault leaves some of each kind."""
        return {
            **self.server.environment, "PREFECT_API_URL": self.server.url, "PYTHONPATH": str(ROOT),
            "STANCEWATCH_ALLOW_HOSTS": json.dumps(self.hosts), "STANCEWATCH_BATCH_SIZE": "6", **more,
        }  # fmt: skip

    def start(self, warehouse: Path, fault: tuple[str, str] | None = None, **more: str) -> Running:
        """Start a pass over all feeds; `fault` is a point and an action of `drills.victim`."""
        program = ["drills.victim", *fault] if fault else ["flows.cli"]
        listing = more.pop("listing", str(self.listing))
        command = [sys.executable, "-m", *program, "run", "--all", "--feeds", listing, "--warehouse", str(warehouse)]
        environment = {name: value for name, value in self.environment(**more).items() if value}
        self._runs += 1
        return Running(command, environment, self.folder / f"pass-{self._runs:03}.log")

    def run(self, warehouse: Path, **more: str) -> Ended:
        """Make a pass that ends well."""
        ended = self.start(warehouse, None, **more).wait()
        assert ended.status == 0, ended.said[-3000:]
        return ended

    def new(self, name: str) -> Path:
        """Return where the warehouse of a drill goes."""
        folder = self.folder / name
        folder.mkdir()
        return folder / "w.duckdb"

    @cached_property
    def undisturbed(self) -> dict[str, list[tuple[Any, ...]]]:
        """What a pass leaves that nothing disturbs."""
        warehouse = self.new("undisturbed")
        self.run(warehouse)
        return {name: ask(warehouse, sql) for name, sql in CONTENT.items()}

    def whole(self, warehouse: Path) -> None:
        """Fail where a warehouse is not that of an undisturbed pass, breaks a rule, or where anything is left over beside it."""
        for name, rows in self.undisturbed.items():
            assert ask(warehouse, CONTENT[name]) == rows, name
        assert {name: rows for name, rows in run_checks(str(warehouse)).items() if rows} == {}
        published = warehouse.with_suffix(".published.duckdb")
        assert ask(published, CONTENT["winners"]) == self.undisturbed["winners"]
        assert leftovers(warehouse.parent) == []


def leftovers(folder: Path) -> list[str]:
    """Return what a pass that ended well does not leave: loads, drafts, notes, logs of the database."""
    spool = [path for path in (folder / "spool").glob("*") if path.name != "work"]
    work = list((folder / "spool" / "work").glob("*"))
    drafts = [path for path in folder.rglob("*") if path.suffix in (".tmp", ".wal", ".appending")]
    return [str(path.relative_to(folder)) for path in (*spool, *work, *drafts)]
