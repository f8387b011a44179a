"""The publish flow: give readers a fresh copy of the warehouse."""

from __future__ import annotations

from prefect import flow, get_run_logger

from pipeline.settings import load_settings
from warehouse.publish import publish as publish_copy


@flow(name="publish")
def publish(warehouse: str | None = None) -> str:
    """Copy the warehouse to its published place; return the path of the copy."""
    copy = publish_copy(load_settings(warehouse=warehouse).warehouse)
    get_run_logger().info("published %s", copy)
    return str(copy)
