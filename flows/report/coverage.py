"""What was seen, what was not, and by what the documents were labelled: figures in, tables and sentences of honesty out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flows.report import words
from flows.report.charts import Table
from pipeline.codebook import Codebook
from warehouse.figures import Figures

Rows = Sequence[dict[str, Any]]
STATES = {"failing": "every poll failed", "dark": "nothing seen in seven days", "low": "far less than before", "high": "far more than before",
          "new": "too short a past to judge", "ok": "as before"}  # fmt: skip


def in_short(figures: Figures) -> str:
    """Say in a line that stands beside every trend how much of it was seen."""
    seen, items = figures.coverage["complete_days"][0], figures.coverage["failures"]
    total, rejected = (
        sum(row["items"] for row in items),
        sum(row["items"] for row in items if row["outcome"] == "rejected"),
    )
    states = Counter(row["status"] for row in figures.health)
    outlets = ", ".join(f"{states[name]} {name}" for name in ("failing", "dark", "low", "high") if states[name])
    parts = [
        f"{words.count(seen['complete_outlet_days'])} of {words.count(seen['outlet_days'])} outlet days seen whole",
        f"{words.percent(rejected / total) if total else words.NOTHING} of {words.count(total)} items rejected",
        f"outlets now: {outlets}" if outlets else "no outlet failing, dark, low or high now",
    ]
    return "; ".join(parts) + "."


def tables(figures: Figures, codebook: Codebook) -> list[Table]:
    """Return the tables of the panel."""
    of = figures.coverage
    return [
        Table(
            caption="By country: feeds, and what became of their items",
            columns=("Country", "Bloc", "Feeds", "Outlets", "Items", "Loaded", "Rejected", "Pending", "Days seen whole"),
            rows=[
                (row["country"], words.bloc(row["bloc"]), *(words.count(row[name]) for name in ("feeds", "outlets", "items", "loaded", "rejected", "pending")),
                 words.percent(row["complete_days"], 0))
                for row in of["by_country"]
            ],
            numeric=2,
        ),
        Table(
            caption="By language: feeds, documents, and where the model does not say whether they are relevant",
            columns=("Language", "Feeds", "Documents", "Relevant", "Abstained"),
            rows=[(row["lang"], *(words.count(row[name]) for name in ("feeds", "documents", "relevant", "abstained"))) for row in of["by_language"]],
        ),
        _health(figures.health),
        Table(
            caption="What became of the items",
            columns=("Outcome", "Why", "Items", "Share"),
            rows=[(row["outcome"], row["why"] or "", words.count(row["items"]), words.percent(row["share"])) for row in of["failures"]],
            numeric=2,
        ),
        Table(
            caption="Where the days of relevant documents come from",
            columns=("Source", "Documents", "Share"),
            rows=[(row["source"], words.count(row["documents"]), words.percent(row["share"])) for row in of["dates"]],
        ),
        Table(
            caption="Where the model abstains from a stance",
            columns=("Target", "Documents that address it", "Abstained", "Share"),
            rows=[
                (words.named(row["target"]), words.count(row["addressed"]), words.count(row["abstained"]), words.percent(row["share"]))
                for row in of["abstention"]
            ],
        ),
        *_labelled(of["label_runs"], codebook),
    ]  # fmt: skip


def _health(rows: Rows) -> Table:
    """Name the outlets that are not as before; those that are, are a count."""
    odd = [row for row in rows if row["status"] in ("failing", "dark", "low", "high")]
    return Table(
        caption=f"Outlets that are not as they were in the 28 days before ({len(odd)} of {len(rows)}), on the last polled day",
        columns=("Outlet", "Country", "State", "Items a day", "Before", "Failed polls"),
        rows=[
            (row["outlet"], row["country"], f"{row['status']}: {STATES[row['status']]}", f"{row['seen_a_day']:.2f}",
             f"{row['before_a_day']:.2f}", f"{row['failed_polls']} of {row['polls']}")
            for row in odd
        ],
        numeric=3,
    )  # fmt: skip


def _labelled(runs: Rows, codebook: Codebook) -> list[Table]:
    known = [row for row in runs if row["codebook_hash"] == codebook.hash]
    limits = codebook.thresholds
    return [
        Table(
            caption="Which runs gave the labels",
            columns=("Model", "Revision", "Codebook", "Version of the code", "Label run", "Documents"),
            rows=[
                (row["model_id"], row["revision"] or "", f"{row['codebook_version']} ({(row['codebook_hash'] or '')[:12]})", row["code_version"] or "",
                 row["label_run_id"], words.count(row["documents"]))
                for row in runs
            ],
            numeric=5,
        ),
        Table(
            caption=f"Thresholds of codebook {codebook.version} ({codebook.hash[:12]}), by which {words.plural(sum(row['documents'] for row in known), 'document')} of the period were labelled",
            columns=("A label is given from a probability of", ""),
            rows=[
                ("relevance", f"{limits.relevance:g}"), ("topic", f"{limits.topic:g}"), ("target addressed", f"{limits.addressed:g}"),
                ("stance, else abstained", f"{limits.abstain:g}"),
            ],
        ),
    ]  # fmt: skip
