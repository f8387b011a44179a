"""A generated warehouse: number of documents and a seed in, a DuckDB file of the real form with rows of all kinds out.

Rows go straight into the tables that the migrations make. What is generated and how uneven it is stands in `generated/*.sql`: outlets
of which few print most, stories of which few are large, days, languages, topics, evidence, labels of two runs, versions of places
and days. The same seed and number give the same rows with the same version of DuckDB.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path

from pipeline.codebook import load_codebook
from pipeline.settings import load_settings
from warehouse.connect import Connection, connect
from warehouse.kept import rebuild
from warehouse.migrate import migrate

SQL = Path(__file__).parent / "generated"
SINCE = date(2023, 11, 1)
DAYS = 1095
PHRASES = 10_000
MEMORY = "6GB"


def generate(target: Path, documents: int, seed: int = 1, outlets: int = 500, days: int = DAYS) -> None:
    """Fill a new warehouse."""
    codebook = load_codebook(load_settings().codebook)
    chosen: dict[str, object] = {"seed": seed, "documents": documents, "outlets": outlets, "since": SINCE, "days": days}
    chosen["phrases"] = min(PHRASES, documents)
    chosen |= {"topics": [topic.id for topic in codebook.topics], "targets": [each.id for each in codebook.targets]}
    with closing(connect(target)) as con:
        migrate(con)
        for name, value in chosen.items():
            con.execute(f"SET VARIABLE {name} = $value", {"value": value})
        con.execute(f"SET memory_limit = '{MEMORY}'")
        for path in sorted(SQL.glob("*.sql")):
            con.execute("BEGIN")
            _run(con, path)
            con.execute("COMMIT")
        rebuild(con)
        con.execute("CHECKPOINT")


def _run(con: Connection, path: Path) -> None:
    for statement in con.extract_statements(path.read_text(encoding="utf-8")):
        con.execute(statement)
