"""Commands about the model: train, evaluate."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from flows.commands import CodebookOption, ModelOption, plain_errors
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import ConfigError
from pipeline.settings import load_settings

CODED = "Coded passages, JSON lines with a `gold` object."


def train(
    files: Annotated[list[Path], typer.Argument(help=CODED)],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    written: Annotated[list[Path] | None, typer.Option(help="Passages written for training: never measured.")] = None,
    statements: Annotated[
        list[Path] | None, typer.Option(help="Single statements to learn first (with --base).")
    ] = None,
    corrections: Annotated[Path | None, typer.Option(help="{id, gold} lines: mended labels, to train on only.")] = None,
    base: Annotated[Path | None, typer.Option(help="Fine-tune this encoder (needs the extra `torch`).")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Parts of the cross-validation.")] = 5,
    measure: Annotated[
        int | None,
        typer.Option(min=1, help="Run only so many of the folds; with --base, the model is the mean of theirs."),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data when fine-tuning.")] = 5,
    seed: Annotated[int, typer.Option(help="Of the fine-tuning.")] = 0,
    model: ModelOption = None,
    codebook: CodebookOption = None,
) -> None:
    """Train heads for the codebook on coded passages.

    Prints the figures of cross-validation and writes a model folder. By default the encoder of the model at hand stays as
    it is. Use the result with `--model DIR` or the setting `model`.

    Example: stancewatch train coded.jsonl --out my-model --codebook my-codebook.toml
    """
    with plain_errors(), _extra("torch" if base else "train"):
        if statements and not base:
            raise ConfigError("--statements teaches an encoder: name one with --base")
        settings = load_settings(model=model, codebook=codebook)
        logging.basicConfig(level=logging.WARNING)
        logging.getLogger("pipeline").setLevel(logging.INFO)
        rows, taught = _rows(files, corrections)
        extra, _ = _rows(written or [], None)
        with TemporaryDirectory() as folder:
            if base and statements:
                base = _taught(base, statements, extra, Path(folder), load_codebook(settings.codebook))
            figures = _train(settings, rows, [*taught, *extra], out, base, folds, measure, epochs=epochs, seed=seed)
        typer.echo(json.dumps(figures, indent=2, ensure_ascii=False))


def _taught(base: Path, files: list[Path], written: list[dict[str, Any]], folder: Path, book: Codebook) -> Path:
    """Return a base that has learnt from statements, the codebook's examples, and sentences of written passages."""
    from pipeline.training.statements import of_codebook, of_passages, read_statements, teach  # noqa: PLC0415

    statements = [statement for path in files for statement in read_statements(path, book)]
    return teach(base, [*statements, *of_codebook(book), *of_passages(written, book)], book, folder)


@contextmanager
def _extra(name: str) -> Iterator[None]:
    """Say which extra brings a library that is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(f"{error.name} is not installed: pip install 'stancewatch[{name}]'") from error


def _rows(files: list[Path], corrections: Path | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows as they were coded, and as they are to be learnt."""
    from pipeline.evaluate import read_rows  # noqa: PLC0415
    from pipeline.training.data import corrected  # noqa: PLC0415

    rows = [row for path in files for row in read_rows(path)]
    return rows, corrected(rows, corrections)


def _train(
    settings: Any, rows: list[dict[str, Any]], taught: list[dict[str, Any]], out: Path, base: Path | None, folds: int,
    measure: int | None, **recipe: int,
) -> dict[str, Any]:  # fmt: skip
    """Train on `taught`, of which the first rows are those of `rows`, which are measured."""
    from pipeline.heads import read_about  # noqa: PLC0415
    from pipeline.weights import model_folder  # noqa: PLC0415

    book, folder = load_codebook(settings.codebook), model_folder(settings.model)
    known = {"model_id": out.resolve().name, "languages": read_about(folder)["languages"]}
    if base:
        from pipeline.training.full import train_full  # noqa: PLC0415
        from pipeline.training.learn import Recipe  # noqa: PLC0415

        return train_full(rows, taught, base, out, book, Recipe(**recipe), folds, known, measure).figures
    from pipeline.training.train import save, train_heads  # noqa: PLC0415

    trained = train_heads(rows, taught, folder, book, folds, measure)
    save(trained, folder, out, book, known)
    return trained.figures


def evaluate(
    file: Annotated[Path, typer.Argument(help=CODED)],
    model: ModelOption = None,
    codebook: CodebookOption = None,
) -> None:
    """Measure the model on coded passages.

    They should be passages that it was not trained on. Prints the figures as JSON.

    Example: stancewatch evaluate coded.jsonl
    """
    from flows.stages import classifier_for  # noqa: PLC0415
    from pipeline.evaluate import evaluate as measure  # noqa: PLC0415
    from pipeline.evaluate import read_rows  # noqa: PLC0415

    with plain_errors():
        if not file.exists():
            typer.echo(f"stancewatch: skipped: {file} is not there", err=True)
            raise typer.Exit(1)
        classifier, _ = classifier_for(load_settings(model=model, codebook=codebook))
        typer.echo(json.dumps(measure(read_rows(file), classifier), indent=2, ensure_ascii=False))
