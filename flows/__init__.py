"""Prefect flows and the command line: orchestration only, on top of warehouse and pipeline."""

from flows.environment import prepare

prepare()  # Prefect reads its environment at import, so this comes before any flow module
