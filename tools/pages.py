#!/usr/bin/env python3
"""The parts of the docs that can be derived: pages with marks in, the same pages with today's answers out.

    python -m tools.pages                     write README and docs anew
    python -m tools.pages --check             say which page is not what it would be, exit status 1
    python -m tools.pages --example FOLDER    only make the example warehouse, FOLDER/example.duckdb
    python -m tools.pages --label             let the shipped model label the example's corpus anew, then write the pages

A mark is a comment `<!-- made: KIND ... -->`; what stands from there to the next `<!-- end -->` is made by the function of
its kind, over the example warehouse. All else on a page is written by hand.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Callable, Sequence
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from typer.testing import CliRunner

from flows.cli import app
from tools.dictionary import WORDS, dictionary
from tools.example.labels import record
from tools.example.warehouse import build
from warehouse.connect import fetch_rows, reading
from warehouse.query import list_queries, load_query, run_query, typed_sql

ROOT = Path(__file__).parent.parent
EXAMPLE = "example/example.duckdb"
AGAIN = "run `python -m tools.pages`"
_MARK = re.compile(r"(<!-- made: (\w+)(?: ((?:(?!-->).)+))? -->\n)(?:(?!<!-- made:).)*?(<!-- end -->)", re.DOTALL)
_NUMBER = re.compile(r"-?\d(?:[\w.-]*\w)?")
_BOLD = re.compile(r"\*\*(-?\d(?:[\w.-]*\w)?)\*\*")
Rows = Sequence[Sequence[Any]]


def pages() -> list[Path]:
    """Return the pages that may have marks."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def fresh(text: str, folder: Path) -> str:
    """Return a page with what its marks stand for, made over the example in `folder`."""
    return _MARK.sub(lambda found: _renewed(found, folder), text)


def _renewed(found: re.Match[str], folder: Path) -> str:
    head, kind, asked, end = found.groups()
    return f"{head}{KINDS[kind](asked or '', folder).strip()}\n{end}"


def grid(columns: Sequence[str], rows: Rows) -> str:
    """Return a table in Markdown; a cell without a value is a dash."""
    lines = [columns, ["---"] * len(columns), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    text = "–" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
    return text if len(text) <= 160 else text[:157].rstrip() + "..."


def index(_asked: str, _folder: Path) -> str:
    """Every query with its page."""
    return grid(("query", "answers"), [(f"[`{name}`](queries/{name}.md)", said) for name, said in list_queries()])


def facts(name: str, folder: Path) -> str:
    """What the file of a query says: help, parameters, columns."""
    query = load_query(name)
    params = [(f"`{each.name}`", each.type, each.default, each.description) for each in query.params]
    told = grid(("parameter", "type", "default", "means"), params) if params else "No parameters."
    return f"{query.help}.\n\n{told}\n\n{grid(('column', 'type', 'means'), columns(name, folder))}"


def columns(name: str, folder: Path) -> list[tuple[str, str, str]]:
    """Return name, type and meaning of the columns of a query's result."""
    query = load_query(name)
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    own = words["query"].get(name, {})
    with reading(folder / EXAMPLE) as con:
        values = query.bound(query.values({}), None)  # type: ignore[arg-type]  # nothing is asked, only described
        described = con.execute(f"DESCRIBE {typed_sql(query)}", values).fetchall()
    found = [(column, kind, own.get(column) or words["any"].get(column)) for column, kind, *_ in described]
    if bare := [column for column, _, said in found if not said]:
        raise SystemExit(f"{WORDS}: say under [query.{name}] what {', '.join(bare)} means")
    return [(f"`{column}`", kind, said or "") for column, kind, said in found]


def answer(asked: str, folder: Path) -> str:
    """A query's answer as a table: NAME param=value ... [; columns a,b] [; rows N] [; where column=value] [; filled column]."""
    call, *shaped = (part.strip() for part in asked.split(";"))
    name, *given = shlex.split(call)
    params = dict(pair.split("=", 1) for pair in given)
    names, rows = run_query(folder / EXAMPLE, name, params)
    options = "".join(f" --param {shlex.quote(pair)}" for pair in given)
    shown, said = _shaped(names, rows, dict(part.split(" ", 1) for part in shaped))
    return f"```console\nstancewatch query {name} --warehouse {EXAMPLE}{options}\n```\n\n{shown}{said}"


def _shaped(names: Sequence[str], rows: Rows, shape: dict[str, str]) -> tuple[str, str]:
    """Keep some columns and rows, and say how many rows are left out."""
    wanted = shape.get("columns", ",".join(names)).split(",")
    if "where" in shape:
        column, value = shape["where"].split("=", 1)
        rows = [row for row in rows if str(row[names.index(column)]) == value]
    if "filled" in shape:
        rows = [row for row in rows if row[names.index(shape["filled"])] is not None]
    kept = rows[: int(shape.get("rows", len(rows)))]
    left = f"\n\n({len(rows) - len(kept)} more rows.)" if len(kept) < len(rows) else ""
    return grid(wanted, [[row[names.index(name)] for name in wanted] for row in kept]), left


def output(asked: str, folder: Path) -> str:
    """What a command prints: one or more commands, ` && ` between them, in the folder where the example is."""
    parts = []
    for command in asked.split(" && "):
        with chdir(folder):
            done = CliRunner().invoke(app, shlex.split(command.removeprefix("stancewatch ")), catch_exceptions=False)
        parts.append(f"$ {command}\n{done.stdout}")
    return f"```console\n{''.join(parts).rstrip()}\n```"


def sql(asked: str, folder: Path) -> str:
    """An answer to SQL, written as a person would type it."""
    with reading(folder / EXAMPLE) as con:
        rows = fetch_rows(con, asked)
    return f"```sql\n{asked.strip()}\n```\n\n{grid(list(rows[0]), [list(row.values()) for row in rows])}"


KINDS: dict[str, Callable[[str, Path], str]] = {
    "index": index, "facts": facts, "answer": answer, "output": output, "sql": sql,
    "dictionary": lambda kind, folder: dictionary(folder / EXAMPLE, kind),
}  # fmt: skip


def make_example(folder: Path) -> Path:
    """Make the example warehouse in a folder, in the place of an earlier one."""
    path = folder / EXAMPLE
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir(parents=True)
    return build(path)


def stale(folder: Path) -> list[Path]:
    """Return the pages that are not what they would be."""
    return [page for page in pages() if (text := page.read_text("utf-8")) != fresh(text, folder)]


def loose(text: str) -> list[str]:
    """Return the numbers in bold that stand in no answer of the page: prose that an answer has left behind."""
    made = "\n".join(found[0] for found in _MARK.finditer(text))
    known = set(_NUMBER.findall(made))
    return [number for number in _BOLD.findall(_MARK.sub("", text)) if number not in known]


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--example", type=Path)
    parser.add_argument("--label", action="store_true")
    asked = parser.parse_args()
    if asked.example:
        print(make_example(asked.example))
        return 0
    if asked.label:
        record()
    with TemporaryDirectory() as name:
        folder = Path(name)
        make_example(folder)
        wrong = stale(folder)
        for page in wrong:
            if not asked.check:
                page.write_text(fresh(page.read_text("utf-8"), folder), encoding="utf-8", newline="\n")
            print(f"{page.relative_to(ROOT)} {f'is not what it would be: {AGAIN}' if asked.check else 'written'}")
    left = {page: numbers for page in pages() if (numbers := loose(page.read_text("utf-8")))}
    for page, numbers in left.items():
        print(f"{page.relative_to(ROOT)} says {', '.join(numbers)}, and no answer on it does: change the sentence")
    return 1 if left or (asked.check and wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
