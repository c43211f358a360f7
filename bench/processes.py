"""Starting the real processes for a measurement, on the database and broker of the environment."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def prepare(environment: dict[str, str]) -> None:
    """Put `environment` in place, migrate, and make Django ready in this process."""
    os.environ.update({"LOG_LEVEL": "ERROR", "SERVE_STATIC_WITHOUT_COLLECTING": "1", **environment})
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        sys.exit("Set DATABASE_URL to a PostgreSQL database made for this measurement: it is emptied.")
    os.environ["DJANGO_SETTINGS_MODULE"] = "partner_portal.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)


@contextmanager
def running(*commands: list[str], env: dict[str, str] | None = None) -> Iterator[None]:
    """The commands as processes, stopped at the end."""
    started = [
        subprocess.Popen([str(BIN / command[0]), *command[1:]], cwd=ROOT, env={**os.environ, **(env or {})})
        for command in commands
    ]
    try:
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def web(port: int) -> list[str]:
    """gunicorn as in the Procfile, on a port of this machine."""
    return ["gunicorn", "partner_portal.wsgi", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]


def worker() -> list[str]:
    """Celery as in the Procfile, with beat."""
    return ["celery", "-A", "partner_portal", "worker", "-B", "--loglevel", "ERROR"]


def wait_for(url: str, seconds: float = 30) -> None:
    """Until `url` answers."""
    ends_at = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            if time.monotonic() > ends_at:
                raise
            time.sleep(0.1)
        else:
            return
