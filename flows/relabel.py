"""The relabel flow: the stored documents that the model and codebook at hand have not labelled yet, labelled from their text.

A label belongs to its run, so labels of other runs stay as they are. Each batch is one load; a killed flow that is
started again goes on with the documents that have no label of this run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from flows import rows, stages
from flows.progress import progress
from flows.watch import stage, watching
from pipeline.errors import WarehouseError
from pipeline.settings import load_settings
from warehouse import state
from warehouse.connect import is_there, target_name
from warehouse.lock import pass_lock
from warehouse.publish import publish
from warehouse.query import run_query
from warehouse.spool import deal, new_id, write_load


@stage("label")
def label_stored(one: stages.Pass, document_ids: list[str], folder: Path) -> Path:
    """Label a batch of stored documents and return the load that holds their labels."""
    classifier, book = stages.classifier_for(one.settings)
    documents = state.stored_documents(one.settings.warehouse, document_ids)
    tables = rows.DocumentTables(one.run_id, classifier, book, stages.CODE_VERSION)
    found = classifier.label([(each["title"], each["text"], each["lang"]) for each in documents])
    for document, labels in zip(documents, found, strict=True):
        tables.relabelled(document, labels)
    return write_load(folder, one.run_id, "documents", tables.tables)


label = task(name="label", cache_policy=NO_CACHE)(label_stored)
load = task(name="load", cache_policy=NO_CACHE)(stages.load)
publish_copy = task(name="publish", cache_policy=NO_CACHE)(publish)


def run_name() -> str:
    """Name a run after its warehouse."""
    given = flow_run.parameters.get("warehouse") or load_settings().warehouse
    return f"relabel {target_name(given)}"


@flow(name="relabel", flow_run_name=run_name, validate_parameters=True)
def relabel(
    model: str | None = None, codebook: str | None = None, warehouse: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Label what the model and codebook at hand have not labelled yet, batch by batch, then publish.

    model: a model folder. codebook: a TOML file. warehouse: a DuckDB file. limit: label at most so many documents now; the
    others wait for the next time. Returns {label_run_id, labelled: documents}.
    """
    settings = load_settings(model=model, codebook=codebook, warehouse=warehouse)
    if not is_there(settings.warehouse):  # before the lock leaves its file there
        raise WarehouseError(f"no warehouse at {settings.warehouse}: a pass (stancewatch run) creates it")
    label_run = rows.label_run_id(*stages.classifier_for(settings), stages.CODE_VERSION)
    one = stages.Pass(settings, new_id())
    with pass_lock(settings.warehouse, settings.share), watching("relabel", settings, one.run_id):
        stages.take_over(one)
        waiting = state.unlabelled(settings.warehouse, label_run, limit)
        get_run_logger().info("%d stored documents to label in run %s", len(waiting), label_run)
        _work_off(one, waiting)
        publish_copy(settings.warehouse)
    report(settings.warehouse, label_run)
    return {"label_run_id": label_run, "labelled": len(waiting)}


def _work_off(one: stages.Pass, waiting: list[str]) -> None:
    """One batch after the other: nothing waits for a network here, the model takes the machine."""
    size = one.settings.batch_size
    with progress() as bars:
        bar = bars.add_task("labelling stored documents", total=len(waiting))
        for start in range(0, len(waiting), size):
            batch = waiting[start : start + size]
            load(one.settings.warehouse, label(one, batch, deal(one.data)))
            bars.advance(bar, len(batch))


def report(warehouse: str, label_run: str) -> None:
    """Leave what changed against the run before as an artifact."""
    columns, found = run_query(warehouse, "label_changes", {"after": label_run})
    table = [dict(zip(columns, row, strict=True)) for row in found]
    create_table_artifact(key="label-changes", table=table, description=f"Label changes of run {label_run}")
