"""The relabel flow: the stored documents that the model and codebook at hand have not labelled yet, labelled from their text.

A label belongs to its run, so labels of other runs stay as they are. Each batch is one load; a killed flow that is
started again goes on with the documents that have no label of this run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.futures import PrefectFuture
from pydantic import Field
from rich.progress import Progress

from flows import rows, signals, stages
from flows.batches import Line, labels_of, lines_of, write_lines
from flows.crew import Crew, crew_of
from flows.naming import run_name
from flows.progress import progress
from flows.tries import stage
from flows.watch import measured, watching
from pipeline.errors import WarehouseError
from pipeline.settings import Settings, load_settings
from warehouse import state
from warehouse.connect import is_there
from warehouse.lock import pass_lock
from warehouse.publish import publish
from warehouse.query import run_query
from warehouse.spool import deal, new_id, write_load


def gather(one: stages.Pass, document_ids: list[str], folder: Path) -> Path:
    """Write the documents of a batch into its folder, for whoever labels."""
    return write_lines(folder / "stored.jsonl", state.stored_documents(one.settings.warehouse, document_ids))


@measured("label")
def label_stored(settings: Settings, folder: Path) -> Path:
    """Label the documents of a batch into its labelled.jsonl."""
    return stages.label_into(
        settings, folder, [(each["title"], each["text"], each["lang"]) for each in _stored(folder)]
    )


def prepare(one: stages.Pass, folder: Path) -> Path:
    """Return the load that holds the labels of a batch."""
    classifier, book = stages.classifier_for(one.settings)
    tables = rows.DocumentTables(one.run_id, classifier, book, stages.CODE_VERSION)
    found = labels_of(folder, rows.label_run_id(classifier, book, stages.CODE_VERSION))
    for document, labels in zip(_stored(folder), found, strict=True):
        if not isinstance(labels, str):  # without labels it is among those to be labelled the next time
            tables.relabelled(document, labels)
    return write_load(folder, one.run_id, "documents", tables.tables)


def _stored(folder: Path) -> Iterator[Line]:
    return lines_of(folder / "stored.jsonl")


label = stage(label_stored, "label", "label batch {folder.name}")
load = stage(stages.load, "load", "load {folder.name}", minutes=60)
publish_copy = stage(publish, "publish", "publish the copy", minutes=60)


@flow(name="relabel", flow_run_name=run_name("relabel"), validate_parameters=True)
def relabel(
    model: str | None = None,
    codebook: str | None = None,
    warehouse: str | None = None,
    limit: Annotated[int, Field(ge=1)] | None = None,
) -> dict[str, Any]:
    """Label what the model and codebook at hand have not labelled yet, batch by batch, then publish.

    Returns {label_run_id, labelled: documents}.

    Args:
        model: A model folder, or a Hugging Face id; by default the model of the settings.
        codebook: A codebook (TOML); by default that of the settings.
        warehouse: A DuckDB file or a lake; by default the one of the settings.
        limit: Label at most so many documents now; the others wait for the next time.
    """
    settings = load_settings(model=model, codebook=codebook, warehouse=warehouse)
    if not is_there(settings.warehouse):  # before the lock leaves its file there
        raise WarehouseError(f"no warehouse at {settings.warehouse}: a pass (stancewatch run) creates it")
    label_run = rows.label_run_id(*stages.classifier_for(settings), stages.CODE_VERSION)
    one = stages.Pass(settings, new_id())
    with (
        pass_lock(settings.warehouse, settings.share),
        watching("relabel", settings, one.run_id),
        crew_of(settings) as crew,
        progress() as bars,
    ):
        stages.take_over(one)
        waiting = state.unlabelled(settings.warehouse, label_run, limit)
        get_run_logger().info("%d stored documents to label in run %s", len(waiting), label_run)
        _work_off(one, crew, waiting, bars)
        publish_copy(settings.warehouse)
    report(settings.warehouse, label_run)
    if waiting:
        signals.load_finished(settings.warehouse, "relabel", one.run_id, len(waiting))
    return {"label_run_id": label_run, "labelled": len(waiting)}


def _work_off(one: stages.Pass, crew: Crew, waiting: list[str], bars: Progress) -> None:
    """Hand batches to the crew, and store them in the order of the documents."""
    size = one.settings.batch_size
    bar = bars.add_task("labelling stored documents", total=len(waiting))
    flying: deque[PrefectFuture[Path]] = deque()
    for start in range(0, len(waiting), size):
        folder = gather(one, waiting[start : start + size], deal(one.data))
        flying.append(crew.labelling.submit(label, {"settings": one.settings, "folder": folder}))
        while len(flying) >= crew.ahead:
            load(one.settings.warehouse, prepare(one, flying.popleft().result()))
            bars.advance(bar, size)
    while flying:
        load(one.settings.warehouse, prepare(one, flying.popleft().result()))
        bars.advance(bar, size)


def report(warehouse: str, label_run: str) -> None:
    """Leave what changed against the run before as an artifact."""
    columns, found = run_query(warehouse, "label_changes", {"after": label_run})
    table = [dict(zip(columns, row, strict=True)) for row in found]
    create_table_artifact(key="label-changes", table=table, description=f"Label changes of run {label_run}")
