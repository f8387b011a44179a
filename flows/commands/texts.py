"""Commands from JSON lines to JSON lines: entries, extract, classify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands import CodebookOption, ModelOption, plain_errors
from pipeline.settings import load_settings

FileArgument = Annotated[Path | None, typer.Argument(help="JSON lines; default or `-`: standard input.")]


def entries(file: FileArgument = None) -> None:
    """Show what feed bodies yield, as JSON lines.

    In: a manifest {id, url, path}. Out, in the same order: {id, entries, error}; an entry is {url, title, published_at,
    date_doubt}.

    Example: stancewatch entries manifest.jsonl
    """
    from flows.lines import each_line, entries_of  # noqa: PLC0415

    with plain_errors():
        each_line(file, entries_of)


def extract(file: FileArgument = None) -> None:
    """Extract articles from pages, as JSON lines.

    In: a manifest {id, url, path}. Out, in the same order, a document each: {id, url, canonical_url, title, authors,
    published_at, date_source, lang, text, rejection}; rejection is null or {stage, reason, detail}.

    Example: stancewatch extract < manifest.jsonl > documents.jsonl
    """
    from flows.lines import documents_of, each_line  # noqa: PLC0415

    with plain_errors():
        each_line(file, documents_of)


def classify(
    file: FileArgument = None,
    model: ModelOption = None,
    codebook: CodebookOption = None,
) -> None:
    """Label texts, as JSON lines.

    In: {id, title, text[, lang]}. Out, in the same order: {id, lang, relevance: {p, label}, topics: [{topic, p, label}],
    stances: [{target, addressed, p_favor, p_against, p_neutral, label, abstain, evidence: [{start, end, text}]}], model:
    {id, revision, codebook}, rejection}. Offsets count Unicode code points of the given text.

    Example: stancewatch classify < texts.jsonl > labels.jsonl
    """
    from flows.lines import each_line, labels_of  # noqa: PLC0415

    with plain_errors():
        settings = load_settings(model=model, codebook=codebook)
        each_line(file, lambda lines: labels_of(lines, settings))
