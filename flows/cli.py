"""The command line `stancewatch`. Exit status: 0 done, 1 failed, 2 misuse."""

from __future__ import annotations

import typer

from flows.commands import feeds, human, models, passes, stored, texts

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, rich_markup_mode=None)
feeds_app = typer.Typer(no_args_is_help=True, help="Check a feeds file.")
human_app = typer.Typer(no_args_is_help=True, help="Labels by people: import them, draw documents to code.")

for command in (
    *(passes.run, passes.demo, passes.relabel, passes.serve),
    *(texts.entries, texts.extract, texts.classify),
    *(models.train, models.evaluate),
    *(stored.query, stored.status),
):
    app.command()(command)
feeds_app.command()(feeds.check)
app.add_typer(feeds_app, name="feeds")
human_app.command("import")(human.import_)
human_app.command()(human.export)
app.add_typer(human_app, name="human")


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
