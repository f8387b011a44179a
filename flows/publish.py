"""The publish flow: give readers a fresh copy of the warehouse, and its report beside it."""

from __future__ import annotations

from prefect import flow, get_run_logger

from flows.naming import run_name
from flows.report.artifacts import leave
from flows.report.make import figures_of, make_report, standing_report
from pipeline.settings import load_settings
from warehouse.publish import publish as publish_copy


@flow(name="publish", flow_run_name=run_name("publish"), validate_parameters=True, timeout_seconds=7200)
def publish(warehouse: str | None = None) -> str:
    """Copy the warehouse to its published place and write `x.report.html` beside it; return the path of the copy.

    Args:
        warehouse: A DuckDB file or a lake; by default the one of the settings.
    """
    settings = load_settings(warehouse=warehouse)
    copy = publish_copy(settings.warehouse)
    get_run_logger().info("published %s", copy)
    figures = figures_of(settings)
    page = make_report(settings, standing_report(settings), figures)
    leave(figures)
    get_run_logger().info("wrote %s", page)
    return str(copy)
