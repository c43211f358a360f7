"""The portal as it runs in production: real processes, each of which can be killed at any moment."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet

from sandbox import Sandbox
from tests.end_to_end.stores import make_broker, make_database
from tests.unkind_server import SLACK_SECONDS

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
PARTNER_TOKEN = "partner-token-nobody-may-see"
STAFF_PASSWORD = "staff-password-nobody-may-see"
PER_SECOND, PER_MINUTE = 20, 1200
# Seconds; as long as a busy machine may take for what an idle one does in one.
PATIENCE = 90.0
# Platforms kill what has not ended ten seconds after SIGTERM; so much more is a busy machine's.
MAX_STOP = 9.0 + SLACK_SECONDS


def wait_for(condition: Callable[[], Any], what: str, timeout: float = PATIENCE) -> Any:
    """Poll until `condition()` is true and return it; fail with `what` after `timeout` seconds."""
    ends_at = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > ends_at:
            raise AssertionError(f"Waited {timeout:.0f} s in vain until {what}.")
        time.sleep(0.03)
    return value


def activations(altegio: Sandbox, locations: Sequence[int]) -> dict[int, int]:
    """How many activations Altegio has accepted for each of the locations."""
    accepted = dict.fromkeys(locations, 0)
    for request in altegio.requests("activate"):
        if request.processed and request.location_id in accepted:
            accepted[request.location_id] += 1
    return accepted


def once(locations: Sequence[int]) -> dict[int, int]:
    """What `activations` must say."""
    return dict.fromkeys(locations, 1)


class Port:
    """A free port, reserved: bound here and not listening, so that only who asks for it by number gets it."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def free(self) -> None:
        self._socket.close()


class Program:
    """One running command with its children; it runs in the folder `code`."""

    def __init__(self, command: Sequence[str], env: dict[str, str], log: Path, code: Path = ROOT) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=code,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """`kill -9`, children included."""
        if self.is_running:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM; fails for one that does not end soon."""
        self._process.terminate()
        try:
            self._process.wait(MAX_STOP)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("It did not end when it was told to.") from None


class Portal:
    """One portal: its folder, database and broker, and the processes that were started for it.

    `stores` names the servers, as the environment does; `settings` are variables beside the usual ones.
    """

    def __init__(
        self, folder: Path, altegio_url: str, stores: Mapping[str, str] = os.environ, **settings: str
    ) -> None:
        self._folder = folder
        self._port = Port()
        self._programs: list[Program] = []
        # What commands and new processes run: another version's checkout, in a test of an upgrade.
        self.code = ROOT
        self.url = f"http://127.0.0.1:{self._port.number}"
        self.secret_keys = {
            "SECRET_KEY": "key-nobody-may-see",
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        }
        self.database = make_database(folder, stores)
        self.broker = make_broker(folder, stores)
        self._env = self.broker.environment | {
            "SECRET_KEY": "key-nobody-may-see",
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "VAR_DIR": str(folder / "var"),
            "DATABASE_URL": self.database.url,
            "PORTAL_URL": self.url,
            "BIND": f"127.0.0.1:{self._port.number}",
            # Kept nowhere: a worker that keeps each e-mail in memory grows with them.
            "EMAIL_URL": "dummymail://",
            "SERVE_STATIC_WITHOUT_COLLECTING": "1",
            "LOG_LEVEL": "INFO",
            "ALTEGIO_PARTNER_TOKEN": PARTNER_TOKEN,
            "ALTEGIO_APPLICATION_ID": "1",
            "ALTEGIO_APP_URL": altegio_url,
            "ALTEGIO_API_URL": f"{altegio_url}/api/v1",
            "ALTEGIO_TIMEOUT": "2",
            "ALTEGIO_REQUESTS_PER_SECOND": str(PER_SECOND),
            "ALTEGIO_REQUESTS_PER_MINUTE": str(PER_MINUTE),
            "DJANGO_SUPERUSER_EMAIL": "staff@example.com",
            "DJANGO_SUPERUSER_PASSWORD": STAFF_PASSWORD,
            **settings,
        }

    def command(self, *arguments: str, **environment: str) -> str:
        """What `manage.py` with these arguments prints."""
        command = [sys.executable, "manage.py", *arguments]
        env = self._env | environment
        return subprocess.check_output(command, cwd=self.code, env=env, stdin=subprocess.DEVNULL, text=True)

    def shell(self, line: str, **environment: str) -> str:
        """What an operator reads who types this line where the code lies; fails where it ends with an error."""
        env = self._env | {"PATH": f"{BIN}:{self._env['PATH']}"} | environment
        done = subprocess.run(
            ["/bin/bash", "-c", line],
            cwd=self.code,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def another_host(self, folder: Path) -> "Portal":
        """The same portal on another host: the same settings and stores, its own working folder and port."""
        folder.mkdir()
        host = copy(self)
        host._folder, host._port, host._programs = folder, Port(), []
        host.url = f"http://127.0.0.1:{host._port.number}"
        host._env = self._env | {"VAR_DIR": str(folder / "var"), "BIND": f"127.0.0.1:{host._port.number}"}
        return host

    def adopt(self, host: "Portal") -> None:
        """That host's processes end with this portal's."""
        self._programs += host._programs

    def leave(self) -> None:
        """This host is no more; the portal's stores stay."""
        self.stop()
        self._port.free()

    def prepare(self) -> None:
        """Migrate, as the release does; staff and the sandbox's applications."""
        self.command("migrate", "--noinput", "--verbosity", "0")
        self.command("prepare_demo")

    def start_web(self, *command: str, **environment: str) -> Program:
        """The Procfile's web process, or that of another command, ready to answer."""
        self.web = self._start("web", list(command) or shlex.split(PROCFILE["web"]), **environment)
        wait_for(lambda: self.is_answering, "the web process answers")
        return self.web

    def ensure_web(self) -> None:
        """The web process of an earlier test still answers, or a new one does."""
        if not self.is_answering:
            self.start_web()

    def start_worker(self, *options: str, **environment: str) -> Program:
        """The Procfile's worker; with "-B" it is beat too."""
        return self._start("worker", [*shlex.split(PROCFILE["worker"]), *options], **environment)

    def start_beat(self, **environment: str) -> Program:
        return self._start("beat", shlex.split(PROCFILE["beat"]), **environment)

    def stop(self) -> None:
        """No process of this portal runs any more."""
        programs, self._programs = self._programs, []
        for program in programs:
            program.kill()

    def stop_workers(self) -> None:
        """Only the web process still runs."""
        others = [program for program in self._programs if program is not self.web]
        self._programs = [self.web]
        for program in others:
            program.kill()

    def close(self) -> None:
        self.stop()
        self._port.free()
        self.broker.drop()
        self.database.drop()

    def page(self, path: str, **options: Any) -> requests.Response:
        """A visitor's request, redirects not followed."""
        url = path if path.startswith("http") else self.url + path
        options = {"allow_redirects": False, "timeout": 30} | options
        return requests.request(options.pop("method", "GET"), url, **options)

    def state_of(self, status_page: str) -> dict[str, Any]:
        """What the status page says, as its script reads it."""
        answer: dict[str, Any] = self.page(status_page, headers={"Accept": "application/json"}).json()
        return answer

    def wait_until_active(self, status_page: str, timeout: float = PATIENCE) -> None:
        """Until the owner sees every location of the arrival active."""
        wait_for(lambda: self.state_of(status_page)["state"] == "active", "every location is active", timeout)

    def calls(self, condition: str) -> int:
        """How many outgoing calls there are for which an SQL condition holds."""
        count: int = self.database.query(f"SELECT count(*) FROM outbox_outgoingcall WHERE {condition}")[0][0]
        return count

    def forget_heartbeat(self) -> None:
        """As if a minute had gone by since the last worker stopped."""
        code = "from django.core.cache import cache; cache.delete('worker-heartbeat')"
        self.command("shell", "--verbosity", "0", "--command", code)

    def forget_calls(self) -> None:
        """A new test: what an earlier one has not finished is over, and the call budget is full."""
        self.database.query(
            "UPDATE outbox_outgoingcall SET state = 'cancelled' "
            "WHERE state IN ('held', 'queued', 'sending', 'unconfirmed')"
        )
        # Else the watch would queue their calls again.
        self.database.query(
            "UPDATE connections_connection SET state = 'expired', ended_by = 'window' "
            "WHERE state IN ('granted', 'conflict')"
        )
        self.forget_rate()

    def forget_rate(self) -> None:
        """No call counts against the limits any more."""
        self.database.query("DELETE FROM outbox_ratebudget")

    def logs(self) -> str:
        return "".join(file.read_text(errors="replace") for file in self._folder.glob("*.log"))

    @property
    def is_answering(self) -> bool:
        try:
            return self.page("/healthz/", timeout=2).ok
        except requests.RequestException:
            return False

    def _start(self, name: str, command: list[str], **environment: str) -> Program:
        command = [str(BIN / command[0]), *command[1:]]
        program = Program(command, self._env | environment, self._folder / f"{name}.log", self.code)
        self._programs.append(program)
        return program
