"""The command line `stancewatch`. Exit status: 0 done, 1 failed, 2 misuse."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from flows.commands import backfill, feeds, human, models, passes, reports, status, stored, texts, upkeep

ABOUT = "Watch how the world's media argue about AI governance: feeds in, stance with evidence out, in DuckDB."
AS_IT_IS = "\b\n"  # tells click not to wrap the paragraph: an example is there to be copied

app = typer.Typer(
    help=ABOUT, epilog=f"{AS_IT_IS}Example: stancewatch demo", no_args_is_help=True, pretty_exceptions_enable=False,
    add_completion=False, rich_markup_mode=None,
)  # fmt: skip


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"stancewatch {version('stancewatch')}")
        raise typer.Exit


@app.callback()
def of_all(
    wanted: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version and stop.")
    ] = False,
) -> None:
    """What is said before a command."""


feeds_app = typer.Typer(
    help="Check a feeds file, import and export OPML.",
    epilog=f"{AS_IT_IS}Example: stancewatch feeds check feeds.toml",
    no_args_is_help=True,
)
human_app = typer.Typer(
    help="Labels by people: import them, draw documents to code.",
    epilog=f"{AS_IT_IS}Example: stancewatch human export --sample 200", no_args_is_help=True,
)  # fmt: skip


def add(group: typer.Typer, command: Callable[..., None], name: str | None = None) -> None:
    """Add a command. Its docstring is its help; the example at the end of it comes last, in one line."""
    text, _, example = inspect.cleandoc(command.__doc__ or "").rpartition("Example: ")
    group.command(name, help=text, epilog=f"{AS_IT_IS}Example: {example}")(command)


for each in (
    *(passes.run, passes.demo, backfill.backfill, passes.relabel, passes.serve, passes.bootstrap),
    *(stored.query, reports.report, status.status, stored.replay),
    *(upkeep.maintenance, upkeep.backup, upkeep.restore, upkeep.erase),
    *(texts.entries, texts.extract, texts.classify),
    *(models.train, models.evaluate),
):
    add(app, each)
add(feeds_app, feeds.check)
add(feeds_app, feeds.import_, "import")
add(feeds_app, feeds.export)
app.add_typer(feeds_app, name="feeds")
add(human_app, human.import_, "import")
add(human_app, human.export)
app.add_typer(human_app, name="human")


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
