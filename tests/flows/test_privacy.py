"""What docs/privacy.md claims of persons, and docs/security.md of secrets and of the server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows import serve as serving
from flows.fate import decide
from pipeline.errors import ConfigError
from pipeline.records import Document, Feed, Validators
from pipeline.session import open_session
from pipeline.settings import Settings, load_settings
from tests.support.store import Store
from warehouse.query import list_queries, run_query

ROOT = Path(__file__).parents[2]
SECRET = "open-sesame"


class Tables:
    """Takes what would be stored."""

    def __init__(self) -> None:
        self.kept: list[Document] = []

    def loaded(self, entry: dict[str, Any], document: Document, *_: object) -> None:
        self.kept.append(document)


def test_authors_are_kept_only_where_the_setting_says_so() -> None:
    document = Document(
        url="https://x/a", canonical_url="https://x/a", title="t", authors=("Ada Writer",), published_at=None, date_source=None, lang="en", text="x",
    )  # fmt: skip
    line = {
        "entry": {"attempts": 0, "document_id": None},
        "fetched_at": "2026-11-20T08:00:00Z",
        "document": asdict(document),
    }
    for settings, authors in ((Settings(), ()), (Settings(keep_authors=True), ("Ada Writer",))):
        tables = Tables()
        decide(settings, tables, line, iter([None]), lambda _: None)  # type: ignore[arg-type,list-item]
        assert [kept.authors for kept in tables.kept] == [authors]


def test_no_query_has_a_column_of_authors(filled: Store) -> None:
    for name, _ in list_queries():
        columns, rows = run_query(filled.target, name)
        assert not {"authors", "author"} & set(columns), name
        assert "'A', 'B'" not in repr(rows), name


def test_a_password_does_not_leave_with_settings_or_their_errors() -> None:
    proxied = Settings(proxy=f"http://user:{SECRET}@127.0.0.1:9")
    assert SECRET not in repr(proxied)
    for target in (f"ducklake:postgres:host=x password={SECRET}", f"ducklake:postgres:postgresql://u:{SECRET}@x/y"):
        with pytest.raises(ConfigError, match="PGPASSWORD") as raised:
            load_settings(warehouse=target)
        assert SECRET not in str(raised.value)


def test_a_proxy_that_fails_is_named_without_its_password() -> None:
    feed = Feed(
        feed_id="f", url="http://news.example/rss", outlet="O", country="XX", bloc="us", language="en", ownership="public", kind="news", enabled=True,
    )  # fmt: skip
    with open_session(Settings(proxy=f"http://user:{SECRET}@127.0.0.1:9", allow_hosts=["news.example:80"])) as session:
        (poll,) = session.poll([(feed, Validators())])
    assert poll.error
    assert SECRET not in repr(poll)


def test_a_database_that_fails_is_named_without_its_password(tmp_path: Path) -> None:
    environment = {**os.environ, "PGPASSWORD": SECRET, "PGCONNECT_TIMEOUT": "5"}
    target = "ducklake:postgres:host=127.0.0.1 port=9 dbname=lake user=u"
    command = [sys.executable, "-m", "flows.cli", "status", "--warehouse", target]
    done = subprocess.run(
        command, env={**environment, "PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("stancewatch: "), done.stderr
    assert SECRET not in done.stdout + done.stderr


class Stopped(Exception):
    """The server would have started."""


def test_the_server_listens_on_loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    @contextmanager
    def part(name: str, environment: dict[str, str], *arguments: str) -> Iterator[None]:
        asked.append(arguments)
        raise Stopped
        yield

    monkeypatch.setattr(serving, "part", part)
    monkeypatch.setattr(serving, "_Signals", object)
    with pytest.raises(Stopped):
        serving.serve(4321)
    assert asked == [("server", "start", "--host", "127.0.0.1", "--port", "4321")]


def test_basic_auth_lets_nobody_in_without_it_and_our_parts_have_it() -> None:
    """In a process of its own: Prefect reads its settings once."""
    code = "from tests.flows.test_privacy import knock; knock()"
    environment = {
        **os.environ,
        "PREFECT_SERVER_API_AUTH_STRING": f"admin:{SECRET}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    environment.pop("PREFECT_API_AUTH_STRING", None)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "401 401 200 200\n", done.stderr
    assert SECRET not in done.stderr


def knock() -> None:
    """Print how a server with basic auth answers: nobody, a wrong password, the right one, and a look at its health."""
    from prefect.server.api.server import create_app

    def ask(path: str, auth: tuple[str, str] | None) -> Any:
        transport = httpx.ASGITransport(create_app())

        async def one() -> int:
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", auth=auth) as client:
                return (await client.get(path)).status_code

        return asyncio.run(one())

    name, _, password = os.environ["PREFECT_API_AUTH_STRING"].partition(":")  # that flows.environment passed on
    tried = [
        ("admin/version", None),
        ("admin/version", ("admin", "wrong")),
        ("admin/version", (name, password)),
        ("health", None),
    ]
    sys.stdout.write(" ".join(str(ask(f"/api/{path}", auth)) for path, auth in tried) + "\n")
