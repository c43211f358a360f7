"""The settings of the bench start a separate process, as gunicorn does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.hour import SETTINGS


@pytest.mark.parametrize("module", ["bench.settings", "bench.bare"])
def test_a_process_starts_with_the_settings_of_the_bench(module: str) -> None:
    environment = os.environ | SETTINGS | {"DJANGO_SETTINGS_MODULE": module}
    start = [sys.executable, "-c", "import django; django.setup()"]
    run = subprocess.run(start, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
