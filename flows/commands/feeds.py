"""Commands about the feeds file: check, import, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows import tables
from flows.commands import plain_errors
from pipeline.settings import load_settings

FeedsFile = Annotated[Path | None, typer.Argument(help="Feeds file; default: that of the package.")]


def check(
    file: FeedsFile = None,
    online: Annotated[bool, typer.Option("--online", help="Ask each enabled feed once: dead, moved, empty?")] = False,
) -> None:
    """Read a feeds file and count its feeds.

    Names what is wrong with it; counts countries and languages too. Without --online no feed is asked; nothing is stored.

    Example: stancewatch feeds check feeds.toml
    """
    from pipeline.feeds import load_feeds  # noqa: PLC0415

    with plain_errors():
        settings = load_settings()
        feeds = load_feeds(file or settings.feeds)
        countries, languages = {f.country for f in feeds}, {f.language.split("-")[0] for f in feeds}
        enabled = sum(f.enabled for f in feeds)
        typer.echo(
            f"{len(feeds)} feeds ({enabled} enabled), {len(countries)} countries, "
            f"{len(languages)} languages: {', '.join(sorted(languages))}"
        )
        if online:
            from flows.feed_state import feed_states  # noqa: PLC0415

            tables.show(Console(), "Feeds that a person should look at", *feed_states(settings, feeds))


def import_(
    file: Annotated[Path, typer.Argument(help="OPML file.")],
    country: Annotated[str | None, typer.Option(help="ISO 3166-1 alpha-2, of feeds that do not say it.")] = None,
    bloc: Annotated[
        str | None, typer.Option(help="us, china, eu, europe, g7, brics, global_south, international.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="BCP 47.")] = None,
    ownership: Annotated[str | None, typer.Option(help="state, public, private, nonprofit or government.")] = None,
    kind: Annotated[str | None, typer.Option(help="news, official, analysis or advocacy.")] = None,
) -> None:
    """Write the feeds of an OPML file as a feeds file.

    What neither the file nor an option says is left empty, marked `to be filled`, and counted on standard error; `feeds check`
    names these fields until they are filled.

    Example: stancewatch feeds import reader.opml --country KE --bloc global_south > feeds.toml
    """
    from pipeline.feeds import imported_toml  # noqa: PLC0415
    from pipeline.opml import read_opml  # noqa: PLC0415

    given = {"country": country, "bloc": bloc, "language": language, "ownership": ownership, "kind": kind}
    with plain_errors():
        outlines = read_opml(file)
        text, unknown = imported_toml(outlines, given)
        typer.echo(text, nl=False)
        typer.echo(f"{len(outlines)} feeds; {unknown} fields are to be filled", err=True)


def export(file: FeedsFile = None) -> None:
    """Write a feeds file as OPML 2.0, for other readers.

    Country, bloc, ownership, kind and id go into `category`, from where `feeds import` takes them back.

    Example: stancewatch feeds export feeds.toml > feeds.opml
    """
    from pipeline.feeds import load_feeds  # noqa: PLC0415
    from pipeline.opml import write_opml  # noqa: PLC0415

    with plain_errors():
        typer.echo(write_opml(load_feeds(file or load_settings().feeds)), nl=False)
