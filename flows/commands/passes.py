"""Commands that make passes: run, demo, relabel, serve, bootstrap."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows import tables
from flows.commands import CodebookOption, ModelOption, WarehouseOption, plain_errors
from pipeline.errors import StancewatchError
from pipeline.settings import load_settings

LimitOption = Annotated[int | None, typer.Option(min=1, help="Fetch at most so many entries a feed in this pass.")]


def one_pass(feeds: str | None, warehouse: str, all_feeds: bool, limit: int | None) -> None:
    """Run the ingest flow here; a run that ends as failed becomes one plain line."""
    import httpx  # noqa: PLC0415
    from prefect.exceptions import FailedRun  # noqa: PLC0415

    from flows.ingest import ingest  # noqa: PLC0415

    try:
        ingest(feeds, warehouse, all_feeds, limit)
    except FailedRun as error:
        raise StancewatchError(str(error)) from error
    except (httpx.HTTPError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "Prefect API" not in str(error):
            raise
        raise StancewatchError(without_prefect(error)) from error


def without_prefect(error: Exception) -> str:
    """Say that Prefect failed a pass, and where to look: its server, or without one its own database."""
    from prefect.settings import get_current_settings  # noqa: PLC0415

    settings = get_current_settings()
    place = settings.api.url or f"the temporary server over {settings.home / 'prefect.db'}"
    return (
        f"Prefect cannot be used ({place}: {error}). Is it running, its database whole and nobody else's? "
        "What the pass had stored stays; the next one takes the rest"
    )


def run(
    feeds: Annotated[Path | None, typer.Option(help="Feeds file (TOML); default: the feeds of the package.")] = None,
    warehouse: WarehouseOption = None,
    all_feeds: Annotated[bool, typer.Option("--all", help="Also poll feeds that are not due.")] = False,
    limit: LimitOption = None,
) -> None:
    """Make one pass: poll feeds, fetch, extract, label, load.

    Example: stancewatch run --feeds feeds.toml --warehouse watch.duckdb --limit 3
    """
    with plain_errors():
        settings = load_settings(feeds=feeds, warehouse=warehouse)
        one_pass(str(feeds) if feeds else None, settings.warehouse, all_feeds, limit)
        tables.after_pass(Console(), settings.warehouse)


def demo(
    folder: Annotated[Path, typer.Option("--dir", help="Where the demo's warehouse goes.")] = Path("demo"),
) -> None:
    """Make one pass over a small bundled web.

    It is served on loopback; the pass ends with a trend table.

    Example: stancewatch demo --dir /tmp/demo
    """
    from flows.demo import demo_settings  # noqa: PLC0415

    with plain_errors(), demo_settings(folder) as warehouse:
        one_pass(None, warehouse, True, None)
        tables.after_pass(Console(), warehouse)


def relabel(
    model: ModelOption = None,
    codebook: CodebookOption = None,
    warehouse: WarehouseOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Label at most so many documents now.")] = None,
) -> None:
    """Label what is stored with another model or codebook.

    Labels of other runs stay as they are. Started again after a kill, it goes on. Ends with what changed against the newest
    other run.

    Example: stancewatch relabel --model my-model --limit 500
    """
    from flows.relabel import relabel as relabel_flow  # noqa: PLC0415
    from warehouse.query import run_query  # noqa: PLC0415

    with plain_errors():
        target = load_settings(warehouse=warehouse).warehouse
        done = relabel_flow(model, str(codebook) if codebook else None, target, limit)
        console = Console()
        console.print(f"{done['labelled']} documents labelled by run {done['label_run_id']}", markup=False)
        changes = run_query(target, "label_changes", {"after": done["label_run_id"]})
        tables.show(console, "Changes against the newest other run", *changes)


def serve(port: Annotated[int, typer.Option(help="Port of the Prefect server on 127.0.0.1.")] = 4200) -> None:
    """Run Prefect server, deployments and worker, until Ctrl-C.

    Example: stancewatch serve --port 4200
    """
    from flows.serve import serve as serve_all  # noqa: PLC0415

    with plain_errors():
        raise typer.Exit(serve_all(port))


def bootstrap(
    api: Annotated[
        str | None, typer.Option(envvar="PREFECT_API_URL", help="Prefect server, as http://127.0.0.1:4200/api.")
    ] = None,
    alert_url: Annotated[
        str | None,
        typer.Option(
            envvar="STANCEWATCH_ALERT_URL", help="Where alerts are posted as JSON; better in the environment."
        ),
    ] = None,
) -> None:
    """Make pool, deployments and automations on a Prefect server.

    Given again it changes nothing, after an upgrade it brings them up to date. Runs work in the folder that this is called in.
    The address for alerts is kept in a block of the server.

    Example: stancewatch bootstrap --api http://127.0.0.1:4200/api
    """
    from flows.bootstrap import bootstrap as bring_up  # noqa: PLC0415

    if api is None:
        raise typer.BadParameter("name the Prefect server by --api or PREFECT_API_URL")
    with plain_errors():
        bring_up(api, typer.echo, alert_url)
