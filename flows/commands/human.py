"""Commands about labels by people: import, export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.commands import CodebookOption, WarehouseOption, plain_errors
from pipeline.settings import load_settings


def import_(
    file: Annotated[Path, typer.Argument(help="JSON lines or CSV; `-`: standard input.")],
    coder: Annotated[str | None, typer.Option(help="Coder of the lines that name none.")] = None,
    codebook: CodebookOption = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Store labels by people beside the model's.

    The same file twice is once, a changed label is a further version. JSON lines {document_id or url, relevance,
    topics: [...], stances: {target: favor|against|neutral}, coder, codebook, coded_at, weight}, or CSV, a label a row: document_id or url, target (relevance, a topic or a target), label, coder,
    codebook, coded_at, weight. Lines without labels are not coded yet. Bad lines are named, the others go in; the exit
    status is 1 then.

    Example: stancewatch human import coded.jsonl --coder ada
    """
    from flows.codings import import_codings  # noqa: PLC0415

    with plain_errors():
        done = import_codings(load_settings(codebook=codebook, warehouse=warehouse), file, coder)
        for fault in done.faults:
            typer.echo(f"{file}, line {fault.line}: {fault.why}", err=True)
        typer.echo(f"{done.labels} labels, {done.new} of them new or changed; {len(done.faults)} lines refused")
    if done.faults:
        raise typer.Exit(1)


def export(
    size: Annotated[int, typer.Option("--sample", min=1, help="Draw so many documents.")],
    seed: Annotated[int, typer.Option(help="Another seed is another sample; the same one is the same.")] = 0,
    lang: Annotated[str | None, typer.Option(help="Only documents in this language (en, zh, ...).")] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Draw documents for people to code, as JSON lines.

    A line is {id, title, text, url, lang, weight}. Rare labels of the model come as often as frequent ones; the weight
    says how many documents each one stands for. Keep it in what you import. What the model said is not shown, so that it cannot lead the coder.

    Example: stancewatch human export --sample 200 > to-code.jsonl
    """
    from flows.codings import sample  # noqa: PLC0415
    from flows.lines import write_line  # noqa: PLC0415

    with plain_errors():
        rows = list(sample(load_settings(warehouse=warehouse), size, seed, lang))
        out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", closefd=False)  # noqa: SIM115
        with out:
            for row in rows:
                write_line(out, row)
