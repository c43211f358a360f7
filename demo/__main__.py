"""`make run`: the portal, a worker with beat and the sandbox Altegio, in one terminal.

The first run fills the portal with half a year of `DEMO_LOCATIONS` locations (200; 0 leaves it empty), while it can
be used. A second run continues with the same data under `var/`. Ctrl-C stops everything. The keys here protect
nothing: they are only for this machine's loopback.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

from demo.ports import PORT, SANDBOX_PORT, insist_on_free_ports

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
PORTAL = os.environ.get("PORTAL_URL", f"http://localhost:{PORT}")
SANDBOX = f"http://localhost:{SANDBOX_PORT}"
STAFF_EMAIL, STAFF_PASSWORD = "staff@example.com", "demo-staff"
# An invented partner.
BRAND = os.environ.get("BRAND_NAME") or "Bluebird SMS"
LOGO = os.environ.get("BRAND_LOGO") or str(ROOT / "demo/bluebird.svg")
BIN = Path(sys.executable).parent
Running = dict[str, "subprocess.Popen[bytes]"]
FILLED = VAR / "demo-filled"
LOCATIONS = os.environ.get("DEMO_LOCATIONS") or "200"
# Only while the past is created: at Altegio's limits half a year would take an hour.
UNLIMITED = {"ALTEGIO_REQUESTS_PER_SECOND": "50", "ALTEGIO_REQUESTS_PER_MINUTE": "3000"}
# More threads would block each other at SQLite's only lock.
FEW_THREADS = ("--concurrency", "6")


def _own() -> dict[str, str]:
    """Return what the demonstration never takes from the shell: where it stores, and who is Altegio to it."""
    return {
        # Empty: the database and the broker lie below VAR_DIR.
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "EMBEDDED_BROKER_DIR": "",
        "VAR_DIR": str(VAR),
        "ALTEGIO_PARTNER_TOKEN": "demo-token",
        "ALTEGIO_APPLICATION_ID": "1",
        "ALTEGIO_APP_URL": SANDBOX,
        "ALTEGIO_API_URL": f"{SANDBOX}/api/v1",
    }


def _not_taken(exported: Mapping[str, str]) -> list[str]:
    """Return the variables of the shell that name another database, broker or Altegio."""
    return sorted(name for name, value in _own().items() if exported.get(name, "") not in ("", value))


def environment() -> dict[str, str]:
    """Return the portal's environment. Variables that are set already win, except the demonstration's own.

    Neither a `.env` nor the shell names its database, broker or Altegio: they may be those of a portal in service,
    which must get no invented people, and no staff whose password everybody knows.
    """
    defaults = {
        "SECRET_KEY": _kept("secret-key", lambda: secrets.token_urlsafe(50)),
        "FIELD_ENCRYPTION_KEYS": _kept("field-key", lambda: Fernet.generate_key().decode()),
        "PORTAL_URL": PORTAL,
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "SERVE_STATIC_WITHOUT_COLLECTING": "1",
        "LOG_LEVEL": "WARNING",
        "LOG_JSON": "0",
        "ALTEGIO_FRAME_ANCESTORS": f"http://localhost:{SANDBOX_PORT} http://127.0.0.1:{SANDBOX_PORT}",
        "BIND": f"127.0.0.1:{PORT}",
        # Systems that are tried on this machine listen on this machine.
        "EVENTS_ALLOW_PRIVATE": "true",
        "EMAIL_URL": f"filemail:///{VAR}/emails",
        "BRAND_NAME": BRAND,
        "BRAND_LOGO": LOGO,
        "BRAND_COLOR": "#0b6b8a",
        "BRAND_SUPPORT_EMAIL": "care@bluebird.example",
        "BRAND_SUPPORT_URL": "https://bluebird.example/help",
        "BRAND_TERMS_URL": "https://bluebird.example/terms",
        "BRAND_PRIVACY_URL": "https://bluebird.example/privacy",
        "DJANGO_SUPERUSER_EMAIL": STAFF_EMAIL,
        "DJANGO_SUPERUSER_PASSWORD": STAFF_PASSWORD,
    }
    known = defaults | dict(os.environ) | _own()
    # For commands in another terminal, by ENV_FILE.
    (VAR / "demo.env").write_text("".join(f"{name}={known[name]}\n" for name in defaults | _own()))
    return known | {"ENV_FILE": os.devnull}


def _kept(name: str, make: Callable[[], str]) -> str:
    """Return a secret of this demonstration; the first run creates it."""
    file = VAR / f"demo-{name}"
    if not file.exists():
        file.write_text(make())
    return file.read_text()


COMMANDS: Mapping[str, list[str]] = {
    "sandbox": [
        sys.executable, "-m", "sandbox", "--port", str(SANDBOX_PORT), "--portal-url", PORTAL,
        "--partner-token", "demo-token", "--application-id", "1", "--data", str(VAR / "sandbox.json"),
        "--partner-name", BRAND, "--partner-logo", LOGO,
    ],
    "web": [str(BIN / "gunicorn"), "partner_portal.wsgi", "--log-level", "warning"],
    "worker": [str(BIN / "celery"), "-A", "partner_portal", "worker", "-B", "--loglevel", "WARNING"],
}  # fmt: skip


def main() -> None:
    """Prepare, start, say where to click, and wait for Ctrl-C."""
    insist_on_free_ports()
    close_to_others(VAR)
    env = environment()
    if not_taken := ", ".join(_not_taken(os.environ)):
        print(f"\n  Set in this shell, and not for the demonstration, which has its own: {not_taken}.", flush=True)
        print("  Unset them in a terminal in which commands are to find it.", flush=True)
    _prepare(env)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    is_empty = LOCATIONS != "0" and not FILLED.exists()
    running: Running = {}
    try:
        if is_empty:
            running["worker"] = _run("worker", UNLIMITED | env, *FEW_THREADS)
        _start(running, env)
        _wait_until_up(running)
        _tell()
        if is_empty:
            print(f"  It is being filled with {LOCATIONS} locations; look around meanwhile.\n", flush=True)
            _fill(running, UNLIMITED | env)
            _stop({"worker": running.pop("worker")})
            _start(running, env)
        while True:
            _keep_alive(running, env)
            time.sleep(1)
    finally:
        _stop(running)


def _start(running: Running, env: dict[str, str]) -> None:
    """Start every program that is not running, with this environment."""
    for name in COMMANDS.keys() - running.keys():
        running[name] = _run(name, env)


def _run(name: str, env: dict[str, str], *options: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([*COMMANDS[name], *options], cwd=ROOT, env=env)  # noqa: S603


def _fill(running: Running, env: dict[str, str]) -> None:
    """Give the portal its past; keep the other programs alive meanwhile."""
    life = subprocess.Popen([sys.executable, "-m", "demo.life", LOCATIONS], cwd=ROOT, env=env)  # noqa: S603
    running["life"] = life
    while life.poll() is None:
        _keep_alive(running, env)
        time.sleep(0.2)
    del running["life"]
    FILLED.touch()


def close_to_others(folder: Path) -> None:
    """Let only this user read what this process and its children write: database, keys, e-mails, messages.

    The same holds for what an earlier run left in `folder`.
    """
    os.umask(0o077)
    folder.mkdir(exist_ok=True)
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):  # an earlier run may still be cleaning up
            if not path.is_symlink():
                path.chmod(0o700 if path.is_dir() else 0o600)


def _prepare(env: dict[str, str]) -> None:
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "--noinput", "--verbosity", "0"], cwd=ROOT, env=env, check=True)  # noqa: S603
    subprocess.run([*manage, "prepare_demo"], cwd=ROOT, env=env, check=True)  # noqa: S603


def _wait_until_up(running: Running) -> None:
    ends_at = time.monotonic() + 60
    for address in (f"{PORTAL}/healthz/", f"{SANDBOX}/"):
        while not _answers(address):
            dead = [name for name, process in running.items() if process.poll() is not None]
            if dead or time.monotonic() > ends_at:
                what = ", ".join(dead) or address
                sys.exit(f"{what} did not start. Are the ports {PORT} and {SANDBOX_PORT} free?")
            time.sleep(0.2)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own address
            return True
    except (urllib.error.URLError, OSError):
        return False


def _keep_alive(running: Running, env: dict[str, str]) -> None:
    for name, process in list(running.items()):
        if name in COMMANDS and process.poll() is not None:
            print(f"{name} stopped; starting it again.", flush=True)
            running[name] = _run(name, env)


def _stop(running: Running) -> None:
    for process in running.values():
        process.terminate()
    for process in running.values():
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _tell() -> None:
    print(
        f"""
  The portal is running.

  1. Press Connect in the sandbox Altegio:   {SANDBOX}/
  2. See it from the staff's side:           {PORTAL}/admin/
     sign in as {STAFF_EMAIL} with the password {STAFF_PASSWORD}
  3. The REST API:                           {PORTAL}/api/v1/docs/
  4. Make a key for it, in another terminal:  ENV_FILE=var/demo.env .venv/bin/python manage.py create_api_key mine \\
                                                  --scopes read billing sms telephony webhooks customers chat
     and connect your own system:             docs/integrate.md
  5. E-mails to owners and staff lie in:      var/emails/

  Ctrl-C stops everything; the next `make run` continues with the same data.
""",
        flush=True,
    )


if __name__ == "__main__":
    main()
