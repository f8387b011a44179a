"""Collect, extract and label: plain Python without an orchestrator and without a database."""
