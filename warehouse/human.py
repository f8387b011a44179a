"""Documents as people name them: ids and addresses in, document ids out."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.urls import normalise_url
from warehouse.connect import Target, fetch_rows, reading

_FIND = """
    WITH spelling AS (
        SELECT document_id AS name, document_id, 0 AS place FROM document
        UNION ALL SELECT canonical_url, document_id, 1 FROM document
        UNION ALL SELECT url, document_id, 2 FROM document
        UNION ALL SELECT entry.url, document_id, 3 FROM entry SEMI JOIN document USING (document_id)
    )
    SELECT name, arg_min(document_id, (place, document_id)) AS document_id
    FROM spelling SEMI JOIN (SELECT unnest($names) AS name) AS asked USING (name) GROUP BY name
"""


def find_documents(target: Target, names: Iterable[str]) -> dict[str, str]:
    """Return the document of each name that has one: its id, its address, or the address of an entry that led to it."""
    spelt = {name: (name, _normal(name)) for name in names}
    with reading(target) as con:
        rows = fetch_rows(con, _FIND, {"names": sorted({each for both in spelt.values() for each in both})})
    known = {row["name"]: row["document_id"] for row in rows}
    return {name: known[each] for name, both in spelt.items() for each in reversed(both) if each in known}


def _normal(name: str) -> str:
    try:
        return normalise_url(name)
    except ValueError:
        return name
