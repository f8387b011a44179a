"""The command line `stancewatch`. Exit status: 0 done, 1 failed, 2 misuse.

Heavy modules are imported where they are used: `stancewatch --help` and the commands without flows start fast.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from flows import tables
from pipeline.errors import ConfigError, StancewatchError
from pipeline.settings import load_settings

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, rich_markup_mode=None)
feeds_app = typer.Typer(no_args_is_help=True, help="Check a feeds file.")
app.add_typer(feeds_app, name="feeds")

WarehouseOption = Annotated[str | None, typer.Option(help="DuckDB file; default: the setting `warehouse`.")]
LimitOption = Annotated[int | None, typer.Option(min=1, help="Fetch at most so many entries a feed in this pass.")]
FileArgument = Annotated[Path | None, typer.Argument(help="JSON lines; default or `-`: standard input.")]


class Format(StrEnum):
    """How a result is printed."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


@contextmanager
def plain_errors() -> Iterator[None]:
    """Say what went wrong in one line and exit with 1; defects keep their traceback."""
    try:
        yield
    except (StancewatchError, OSError) as error:
        typer.echo(f"stancewatch: {error}", err=True)
        raise typer.Exit(1) from error


def one_pass(feeds: str | None, warehouse: str, all_feeds: bool, limit: int | None) -> None:
    """Run the ingest flow here; a run that ends as failed becomes one plain line."""
    from prefect.exceptions import FailedRun  # noqa: PLC0415

    from flows.ingest import ingest  # noqa: PLC0415

    try:
        ingest(feeds, warehouse, all_feeds, limit)
    except FailedRun as error:
        raise StancewatchError(str(error)) from error


@app.command()
def run(
    feeds: Annotated[Path | None, typer.Option(help="Feeds file (TOML); default: the feeds of the package.")] = None,
    warehouse: WarehouseOption = None,
    all_feeds: Annotated[bool, typer.Option("--all", help="Also poll feeds that are not due.")] = False,
    limit: LimitOption = None,
) -> None:
    """Make one pass now: poll due feeds, fetch, extract, label, load.

    Example: stancewatch run --feeds feeds.toml --warehouse watch.duckdb --limit 3
    """
    with plain_errors():
        settings = load_settings(feeds=feeds, warehouse=warehouse)
        one_pass(str(feeds) if feeds else None, settings.warehouse, all_feeds, limit)
        tables.after_pass(Console(), settings.warehouse)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--dir", help="Where the demo's warehouse goes.")] = Path("demo"),
) -> None:
    """Make one pass over a small bundled web, served on loopback; ends with a trend table.

    Example: stancewatch demo --dir /tmp/demo
    """
    from flows.demo import demo_settings  # noqa: PLC0415

    with plain_errors(), demo_settings(folder) as warehouse:
        one_pass(None, warehouse, True, None)
        tables.after_pass(Console(), warehouse)


@app.command()
def serve(port: Annotated[int, typer.Option(help="Port of the Prefect server on 127.0.0.1.")] = 4200) -> None:
    """Run everything on one machine: Prefect server, deployments and a worker, until Ctrl-C.

    Example: stancewatch serve --port 4200
    """
    from flows.serve import serve as serve_all  # noqa: PLC0415

    with plain_errors():
        raise typer.Exit(serve_all(port))


@app.command()
def entries(file: FileArgument = None) -> None:
    """Show what feed bodies yield: a manifest {id, url, path} in, {id, entries, error} out, one JSON line each.

    An entry is {url, title, published_at, date_doubt}. Example: stancewatch entries manifest.jsonl
    """
    from flows.lines import each_line, entries_of  # noqa: PLC0415

    with plain_errors():
        each_line(file, entries_of)


@app.command()
def extract(file: FileArgument = None) -> None:
    """Extract articles: a manifest {id, url, path} in, one document a JSON line out, in the order of the input.

    A document is {id, url, canonical_url, title, authors, published_at, date_source, lang, text, rejection}; rejection is
    null or {stage, reason, detail}. Example: stancewatch extract < manifest.jsonl > documents.jsonl
    """
    from flows.lines import documents_of, each_line  # noqa: PLC0415

    with plain_errors():
        each_line(file, documents_of)


@app.command()
def classify(
    file: FileArgument = None,
    model: Annotated[str | None, typer.Option(help="Model folder; default: the model of the package.")] = None,
    codebook: Annotated[Path | None, typer.Option(help="Codebook (TOML); default: that of the package.")] = None,
) -> None:
    """Label texts: {id, title, text[, lang]} in, one JSON line of labels out, in the order of the input.

    Labels are {id, lang, relevance: {p, label}, topics: [{topic, p, label}], stances: [{target, addressed, p_favor,
    p_against, p_neutral, label, abstain, evidence: [{start, end, text}]}], model: {id, revision, codebook}, rejection}.
    Offsets count Unicode code points of the given text. Example: stancewatch classify < texts.jsonl > labels.jsonl
    """
    from flows.lines import each_line, labels_of  # noqa: PLC0415

    with plain_errors():
        settings = load_settings(model=model, codebook=codebook)
        each_line(file, lambda lines: labels_of(lines, settings))


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="Coded passages, JSON lines with a `gold` object.")],
) -> None:
    """Measure the model on coded passages and print its figures as JSON.

    Example: stancewatch evaluate coded.jsonl
    """
    from flows.stages import classifier_for  # noqa: PLC0415
    from pipeline.evaluate import evaluate as measure  # noqa: PLC0415

    with plain_errors():
        if not file.exists():
            typer.echo(f"stancewatch: skipped: {file} is not there", err=True)
            raise typer.Exit(1)
        settings = load_settings()
        classifier, _ = classifier_for(settings)
        with file.open(encoding="utf-8") as stream:
            figures = measure([json.loads(line) for line in stream], classifier)
        typer.echo(json.dumps(figures, indent=2, ensure_ascii=False))


@app.command()
def query(
    name: Annotated[str | None, typer.Argument(help="A named query; without it, the list.")] = None,
    warehouse: WarehouseOption = None,
    param: Annotated[list[str] | None, typer.Option(help="name=value, once for each parameter.")] = None,
    output: Annotated[Format, typer.Option("--format", help="How the result is printed.")] = Format.table,
) -> None:
    """Run a named query over the published copy of the warehouse.

    Example: stancewatch query daily_share --format csv
    """
    from warehouse import query as queries  # noqa: PLC0415
    from warehouse.export import query_as_parquet  # noqa: PLC0415

    with plain_errors():
        if name is None:
            tables.listing(Console(), queries.list_queries())
            return
        settings = load_settings(warehouse=warehouse)
        pairs = dict(_pair(text) for text in param or [])
        if output is Format.parquet:
            if sys.stdout.isatty():
                raise ConfigError("parquet is binary: send it to a file, as in `--format parquet > result.parquet`")
            sys.stdout.buffer.write(query_as_parquet(settings.warehouse, name, pairs))
            return
        columns, found = queries.run_query(settings.warehouse, name, pairs)
        tables.write(sys.stdout, name, columns, found, output.value)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise typer.BadParameter(f"--param {text}: write name=value")
    return name, value


@app.command()
def status(
    warehouse: WarehouseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show the outcomes of the last passes and the feeds that fail.

    Example: stancewatch status --json
    """
    from warehouse import query as queries  # noqa: PLC0415

    with plain_errors():
        target = load_settings(warehouse=warehouse).warehouse
        found: dict[str, Any] = {name: queries.run_query(target, name, {}) for name in ("outcomes", "source_health")}
        if as_json:
            shown = {name: [dict(zip(c, row, strict=True)) for row in r] for name, (c, r) in found.items()}
            typer.echo(json.dumps(shown, indent=2, ensure_ascii=False, default=str))
            return
        for name, (columns, lines) in found.items():
            tables.write(sys.stdout, name, columns, lines, "table")


@feeds_app.command("check")
def feeds_check(
    file: Annotated[Path | None, typer.Argument(help="Feeds file; default: that of the package.")] = None,
) -> None:
    """Read a feeds file and count its feeds by country and language, without touching the network.

    Example: stancewatch feeds check feeds.toml
    """
    from pipeline.feeds import load_feeds  # noqa: PLC0415

    with plain_errors():
        feeds = load_feeds(file or load_settings().feeds)
        countries, languages = {f.country for f in feeds}, {f.language.split("-")[0] for f in feeds}
        enabled = sum(f.enabled for f in feeds)
        typer.echo(
            f"{len(feeds)} feeds ({enabled} enabled), {len(countries)} countries, "
            f"{len(languages)} languages: {', '.join(sorted(languages))}"
        )


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
