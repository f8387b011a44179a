"""The state machine of an entry (docs/architecture.md), driven at random over the real loader and a real file.

Every step of a pass may be the last one: a crash leaves the spool as it is, in front of the transaction or behind it,
and the next pass takes over. What must hold is held against a plain model of the ledger.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flows.stages import load_leftovers
from pipeline.schedule import next_attempt
from tests.support.store import Store, document_rows, done, entry, feed, outlet, poll
from warehouse.load import load_folder
from warehouse.query import run_checks
from warehouse.replay import replay
from warehouse.spool import deal, drop_load, iso, work_folder, write_load
from warehouse.state import pending_entries

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
MOST = 2  # attempts
PAGES = [f"e{n}" for n in range(3)]
FATES = st.sampled_from(["page", "copy", "refused", "later", "later"])


@dataclass
class Known:
    """What the model knows of an entry."""

    seen_at: datetime
    outcome: str = "pending"
    attempts: int = 0
    due: datetime = START
    quarantined: bool = False
    text: int = 0
    fetched_at: datetime = START
    revise_at: datetime | None = None
    rechecks: int = 0


class EntryStates(RuleBasedStateMachine):
    """Polls, fetches, crashes, replays and corrections in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store(self.folder)
        self.model: dict[str, Known] = {}
        self.now = START
        self.passes = 0
        self.kept: list[Path] = []

    def teardown(self) -> None:
        assert run_checks(self.store.target) == {}
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        self.store.load("feeds", outlet=[outlet("o1")], feed=[feed("f1", "o1")])
        work_folder(self.folder)

    def _load(self, kind: str, tables: dict[str, Any], crash: str) -> bool:
        """Prepare and store a load as a pass does; return whether it counts. `crash` says where the pass ends early."""
        if crash == "before the load is complete":
            deal(self.folder)
        else:
            folder = write_load(deal(self.folder), f"run-{self.passes}", kind, tables)
            self.kept.append(Path(shutil.copytree(folder, self.folder / "kept" / folder.name)))
            if crash != "before the transaction":
                load_folder(self.store.target, folder)
            if not crash:
                drop_load(folder)
        if crash:  # the next pass begins
            load_leftovers(self.store.target, self.folder)
            work_folder(self.folder)
        return crash != "before the load is complete"

    crashes = st.sampled_from(
        ["", "", "before the load is complete", "before the transaction", "after the transaction"]
    )

    @rule(offered=st.lists(st.sampled_from(PAGES), min_size=1, max_size=3), changed=st.booleans(), crash=crashes)
    def a_poll(self, offered: list[str], changed: bool, crash: str) -> None:
        self.passes += 1
        self.now += timedelta(hours=1)
        said: dict[str, Any] = {"first_seen_at": iso(self.now), "updated_at": iso(self.now) if changed else None}
        rows = [entry(name, place, **said) for place, name in enumerate(offered)]
        polled = poll(f"p{self.passes}", "f1", offered=len(rows), polled_at=iso(self.now))
        if not self._load("poll", {"poll": [polled], "entry": rows}, crash):
            return
        for name in offered:
            known = self.model.setdefault(name, Known(seen_at=self.now, due=self.now, fetched_at=self.now))
            recent = known.fetched_at < self.now < known.seen_at + timedelta(days=14)
            if changed and known.outcome == "loaded" and recent and known.rechecks < 3:
                known.revise_at = known.revise_at or self.now + timedelta(hours=1)

    @rule(
        fates=st.lists(FATES, min_size=3, max_size=3),
        text=st.integers(0, 2),
        hours=st.sampled_from([1, 2, 30]),
        crash=crashes,
    )
    def a_batch(self, fates: list[str], text: int, hours: int, crash: str) -> None:
        self.passes += 1
        self.now += timedelta(hours=hours)
        work = pending_entries(self.store.target, self.now)
        due = {name for name, known in self.model.items() if self._is_due(known)}
        assert {row["entry_id"] for row in work} == due
        tables: dict[str, Any] = {"entry": [], "rejection": []}
        after: dict[str, Known] = {}
        for row, fate in zip(work, fates, strict=False):
            after[row["entry_id"]] = self._one(row, fate, text, tables)
        if self._load("documents", tables, crash):
            self.model |= after

    def _is_due(self, known: Known) -> bool:
        if known.outcome == "pending":
            return not known.quarantined and known.due <= self.now
        return known.revise_at is not None and known.revise_at <= self.now

    def _one(self, row: dict[str, Any], fate: str, text: int, tables: dict[str, Any]) -> Known:
        """Give one entry a fate: rows into `tables`, and what the model then knows."""
        name, known = row["entry_id"], self.model[row["entry_id"]]
        recheck = known.outcome == "loaded"
        document = "d-same" if fate == "copy" and not recheck else f"d-{name}"
        if recheck:
            document = row["document_id"]
        if fate in ("page", "copy"):
            tables["entry"].append(done(name, document))
            for table, rows in self._document(document, name, text).items():
                tables.setdefault(table, []).extend(rows)
            return self._read(known, document, text, recheck, tables)
        if recheck:
            tables["entry"].append({"entry_id": name, "outcome": "loaded", "document_id": document})
            return self._rechecked(known)
        if fate == "refused":
            tables["entry"].append(
                {"entry_id": name, "outcome": "rejected", "reason": "http_404", "attempts": known.attempts + 1}
            )
            tables["rejection"].append({"entry_id": name, "stage": "fetch", "reason": "http_404"})
            return replace(known, outcome="rejected", attempts=known.attempts + 1)
        again = next_attempt(known.attempts + 1, self.now, None, MOST)
        waits = {"next_attempt_at": iso(again)} if again else {"quarantined_at": iso(self.now)}
        tried = {"entry_id": name, "outcome": "pending", "reason": "timeout", "attempts": known.attempts + 1}
        tables["entry"].append({**tried, **waits})
        return replace(known, attempts=known.attempts + 1, due=again or START, quarantined=again is None)

    def _document(self, document: str, name: str, text: int) -> dict[str, Any]:
        rows = document_rows(document, name, text_hash=f"h{text}", title=f"title {text}", fetched_at=iso(self.now))
        rows["relevance_label"][0]["input_hash"] = None
        for table in ("document_text", "relevance_label", "topic_label", "stance_label", "evidence"):
            for row in rows[table]:
                row["entry_id"] = name
        rows["document_text"][0]["text"] += f" Fassung {text}."
        return rows

    def _read(self, known: Known, document: str, text: int, recheck: bool, tables: dict[str, Any]) -> Known:
        if recheck:
            after = self._rechecked(known)
            if text != known.text:
                after.text, after.fetched_at = text, self.now
            return after
        earlier = {row["document_id"] for row in tables["document"][:-1]}
        stored = {row["document_id"] for row in self.store.rows("SELECT document_id FROM document")}
        outcome = "duplicate" if document in earlier | stored else "loaded"
        return replace(known, outcome=outcome, text=text, fetched_at=self.now, attempts=1)

    def _rechecked(self, known: Known) -> Known:
        return replace(known, revise_at=None, rechecks=known.rechecks + 1)

    @rule(reason=st.sampled_from([None, "timeout", "http_500"]), dry=st.booleans())
    def a_replay(self, reason: str | None, dry: bool) -> None:
        found = {row["entry_id"] for row in replay(self.store.target, reason=reason, dry_run=dry)}
        aside = {name for name, known in self.model.items() if known.quarantined}
        assert found == (set() if reason == "http_500" else aside)
        for name in set() if dry else found:
            self.model[name] = replace(self.model[name], attempts=0, due=START, quarantined=False)

    @precondition(lambda self: self.kept)
    @rule(which=st.integers(0, 100))
    def a_load_of_before_again(self, which: int) -> None:
        assert load_folder(self.store.target, self.kept[which % len(self.kept)]) == {}

    @precondition(lambda self: self.model)
    @invariant()
    def the_ledger_is_the_models(self) -> None:
        sql = """
            SELECT entry_id, outcome, coalesce(attempts, 0) AS attempts, quarantined_at IS NOT NULL AS aside,
                revise_at IS NOT NULL AS again, coalesce(rechecks, 0) AS rechecks FROM entry ORDER BY entry_id
        """
        held = [tuple(row.values()) for row in self.store.rows(sql)]
        assert held == [
            (name, k.outcome, k.attempts, k.quarantined, k.revise_at is not None, k.rechecks)
            for name, k in sorted(self.model.items())
        ]

    @invariant()
    def the_newest_text_is_the_current_one_and_its_labels_with_it(self) -> None:
        sql = """
            SELECT d.document_id, d.title, document_text.text, e.text_revision = d.text_revision AS fits
            FROM document_current AS d JOIN document_text USING (document_id)
            JOIN current_evidence AS e ON e.document_id = d.document_id
        """
        rows = self.store.rows(sql)
        assert len(rows) == sum(known.outcome == "loaded" for known in self.model.values())
        for row in rows:
            assert row["fits"]
            assert row["text"].endswith(f"Fassung {row['title'].removeprefix('title ')}.")


CRASHES = ["", "before the load is complete", "before the transaction", "after the transaction"]


@pytest.mark.parametrize("crash", CRASHES)
def test_a_walk_through_every_state(crash: str) -> None:
    """Every arrow of the diagram once, each step first with a crash, and again as a next pass would."""
    machine = EntryStates()
    machine.begin()

    def held() -> dict[str, Known]:
        machine.the_ledger_is_the_models()
        machine.the_newest_text_is_the_current_one_and_its_labels_with_it()
        return machine.model

    def batch(*fates: str, text: int = 0, hours: int = 30) -> None:
        for way in (crash, "") if crash == "before the load is complete" else (crash,):
            machine.a_batch(list(fates), text, hours, way)
            held()

    def poll(changed: bool) -> None:
        for way in (crash, "") if crash == "before the load is complete" else (crash,):
            machine.a_poll(PAGES, changed, way)
            held()

    poll(changed=False)
    batch("later", "copy", "refused")
    batch("later")
    assert [held()[name].outcome for name in PAGES] == ["pending", "loaded", "rejected"]
    assert held()["e0"].quarantined
    batch()
    machine.a_replay("timeout", dry=True)
    machine.a_replay("timeout", dry=False)
    batch("copy")
    assert held()["e0"].outcome == "duplicate"
    for text in (1, 1, 2, 3):
        poll(changed=True)
        batch("page", text=text, hours=2)
    assert (held()["e1"].rechecks, held()["e1"].text) == (3, 2)
    revisions = machine.store.rows("SELECT text_revision FROM document_revision ORDER BY ALL")
    assert [row["text_revision"] for row in revisions] == [0, 1]
    for which in range(len(machine.kept)):
        machine.a_load_of_before_again(which)
    held()
    machine.teardown()


EntryStates.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),  # a case made smaller would take minutes of real files
)
TestEntryStates = EntryStates.TestCase
