"""The demo: one pass over the bundled web of invented outlets, served on loopback, into a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flows.demo_web import demo_web
from pipeline.feeds import feeds_toml


@contextmanager
def demo_settings(folder: Path) -> Iterator[str]:
    """Serve the demo's web and point the settings at it; yields the warehouse. Nothing else is polled meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with demo_web() as (feeds, hosts):
        listing = folder / "feeds.toml"
        listing.write_text(feeds_toml(feeds), encoding="utf-8")
        warehouse = str(folder / "demo.duckdb")
        allowed = "[" + ",".join(f'"{host}"' for host in hosts) + "]"
        names = {"FEEDS": str(listing), "WAREHOUSE": warehouse, "DATA_DIR": str(folder), "ALLOW_HOSTS": allowed}
        with environment({f"STANCEWATCH_{name}": value for name, value in names.items()}):
            yield warehouse


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
