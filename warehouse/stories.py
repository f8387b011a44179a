"""Link documents into stories: a warehouse in, rows of `sketch` and `story` out, batch by batch. Nothing is written here.

A document's source is looked for among those published up to `WINDOW` days before it. Which one it is depends on the
documents that there are, not on the order in which they arrived: where a new one may be the source of documents that have
a place already, these are asked again, and stories merge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.stories import METHOD, Link, Piece, find_source, piece, sketches
from warehouse.connect import Connection, Row, Target, fetch_rows, reading

SQL = Path(__file__).parent / "links"
WINDOW = 7  # days
AT_ONCE = 1000  # documents whose candidates' texts are held in memory together

Parents = dict[str, Link | None]


def unsketched(target: Target, most: int) -> list[Row]:
    """Return at most `most` rows of `sketch` that are missing."""
    with reading(target) as con:
        rows = _ask(con, "unsketched", most=most)
    found = []
    for row in rows:
        shingles, marks = sketches(row["text"])
        found.append({"document_id": row["document_id"], "method": METHOD, "shingles": shingles, "marks": marks})
    return found


def unlinked(target: Target, most: int) -> list[str]:
    """Return at most `most` documents that have a sketch and no place in a story, the earliest first."""
    with reading(target) as con:
        return [row["document_id"] for row in _ask(con, "unlinked", most=most)]


def places(target: Target, document_ids: Sequence[str]) -> list[Row]:
    """Return the rows of `story` that follow from these documents having a sketch and no place yet."""
    ids = list(document_ids)
    with reading(target) as con:
        later = {row["document_id"] for row in _ask(con, "affected", ids=ids, window=WINDOW)}
    decided = _sources(target, [*ids, *sorted(later - set(ids))])
    touched = {*decided, *(link.parent_id for link in decided.values() if link)}
    with reading(target) as con:
        known = {row["document_id"]: row for row in _ask(con, "families", ids=sorted(touched))}
    return _changes(known, decided, set(ids))


def _sources(target: Target, ids: Sequence[str]) -> Parents:
    """Decide what each document was taken from, some hundred at a time."""
    found: Parents = {}
    for start in range(0, len(ids), AT_ONCE):
        part = list(ids[start : start + AT_ONCE])
        with reading(target) as con:
            pairs = _ask(con, "candidates", ids=part, window=WINDOW)
            texts = _ask(con, "pieces", ids=sorted({*part, *(row["source_id"] for row in pairs)}))
        found |= _decide(part, pairs, {row["document_id"]: piece(row) for row in texts})
    return found


def _decide(ids: Iterable[str], pairs: Iterable[Row], pieces: Mapping[str, Piece]) -> Parents:
    earlier: dict[str, list[Piece]] = {}
    for row in pairs:  # in the order of publication
        if row["source_id"] in pieces:
            earlier.setdefault(row["document_id"], []).append(pieces[row["source_id"]])
    return {each: find_source(pieces[each], earlier.get(each, [])) if each in pieces else None for each in ids}


def _changes(known: Mapping[str, Row], decided: Parents, new: set[str]) -> list[Row]:
    """Return a row for each document that is new here or whose place is another one now."""
    parents: dict[str, str | None] = {name: row["parent_id"] for name, row in known.items()}
    parents |= {name: link.parent_id if link else None for name, link in decided.items()}
    now = datetime.now(UTC).isoformat()
    rows = []
    for name in sorted(parents):
        row = _place(name, known.get(name), decided.get(name), parents) | {"method": METHOD, "computed_at": now}
        old = known.get(name)
        if old is None or name in new or (old["story_id"], old["parent_id"]) != (row["story_id"], row["parent_id"]):
            rows.append(row)
    return rows


def _place(name: str, old: Row | None, link: Link | None, parents: Mapping[str, str | None]) -> dict[str, Any]:
    place: dict[str, Any] = {"document_id": name, "story_id": _origin(name, parents), "parent_id": parents[name]}
    if parents[name] is None:
        return {**place, "link": "origin", "similarity": None}
    if link is not None:
        return {**place, "link": link.kind, "similarity": link.similarity}
    assert old is not None  # not decided now, so decided before
    return {**place, "link": old["link"], "similarity": old["similarity"]}


def _origin(name: str, parents: Mapping[str, str | None]) -> str:
    """Follow parents to the first one; each is earlier than its child, so there is no way round in a circle."""
    while (parent := parents.get(name)) is not None:
        name = parent
    return name


def _ask(con: Connection, name: str, **params: Any) -> list[Row]:
    sql = (SQL / f"{name}.sql").read_text(encoding="utf-8")
    if "ids" in params:  # as one text: of a list DuckDB looks for a module that is not there, once an element
        params = {**params, "ids": "\n".join(params["ids"])}
    return fetch_rows(con, sql, {"method": METHOD, **params} if "$method" in sql else params)
