"""A PostgreSQL and a Redis for chaos alone, because faults hit them."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import redis

PATIENCE = 20.0


class MissingServerError(Exception):
    """Raised when a program that chaos needs is not installed; `str()` says which."""


def find_postgres() -> Path:
    """Return the folder of PostgreSQL's server programs. Raises MissingServerError if they are not installed."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        raise MissingServerError("PostgreSQL's server programs (initdb, pg_ctl) are not installed.")
    return found[-1]


def find_redis() -> str:
    """Return the path of redis-server. Raises MissingServerError if it is not installed."""
    found = shutil.which("redis-server")
    if found is None:
        raise MissingServerError("redis-server is not installed.")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Postgres:
    """A cluster in a temporary folder. `fsync` is off, because only processes die here, never the machine."""

    def __init__(self) -> None:
        self._bin = find_postgres()
        # Not in the caller's folder: PostgreSQL does not run as root, and could not read it.
        self._folder = Path(tempfile.mkdtemp(prefix="chaos-postgres-"))
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._folder, self._user)
        port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{port}/postgres"
        self.log = self._folder / "log"
        self._data = self._folder / "data"
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"port={port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{self._folder}'\n"
                "fsync=off\nmax_connections=200\nshared_buffers=64MB\n"
            )
        self.start()

    def start(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self.log), "-w", "start")

    def restart_at_once(self) -> None:
        """Restart as after a crash: every connection is cut, and what was committed is recovered from the log."""
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self.log), "-w", "-m", "immediate", "restart")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        log = (self._folder / "commands.log").open("ab")
        with log:
            subprocess.run(
                command,
                user=self._user,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
                timeout=60,
            )


class Redis:
    """A server that writes no file: what it forgets is gone."""

    def __init__(self, folder: Path) -> None:
        self._program, self._folder, self._port = find_redis(), folder, free_port()
        folder.mkdir(parents=True)
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        command = [self._program, "--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        ends_at = time.monotonic() + PATIENCE
        while not self._answers():
            if time.monotonic() > ends_at:
                raise TimeoutError("redis-server does not answer.")
            time.sleep(0.02)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def hang(self) -> None:
        """Stop answering, while the connections stay open."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        redis.Redis.from_url(self.url).flushall()

    def _answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url, socket_timeout=1).ping())
        except redis.RedisError:
            return False
