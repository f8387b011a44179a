"""The rooms of the design: what an import may bring along."""

import subprocess
import sys


def test_importing_the_pipeline_loads_nothing_heavy() -> None:
    code = (
        "import sys, pipeline; print([m for m in ('prefect', 'duckdb', 'torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
