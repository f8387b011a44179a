"""Commands about the feeds file: check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands import plain_errors
from pipeline.settings import load_settings


def check(
    file: Annotated[Path | None, typer.Argument(help="Feeds file; default: that of the package.")] = None,
) -> None:
    """Read a feeds file and count its feeds, without the network.

    Names what is wrong with it; counts countries and languages too.

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
