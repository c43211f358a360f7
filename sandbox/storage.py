"""The data file: the state as JSON, written atomically and not more often than needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter

from sandbox.models import State

_STATE = TypeAdapter(State)


def load(path: Path) -> State | None:
    """Return the state of an earlier run, or None on the first one."""
    return _STATE.validate_json(path.read_bytes()) if path.exists() else None


def save(path: Path, text: str) -> None:
    """Replace the file in one step: a reader sees the old state or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


class Keeper:
    """A thread that saves some time after a change, once for many changes, and once more at the end."""

    def __init__(self, path: Path, snapshot: Callable[[], str], pause: float = 0.5) -> None:
        self._path = path
        self._snapshot = snapshot
        self._pause = pause
        self._dirty = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def touch(self) -> None:
        self._dirty.set()

    def stop(self) -> None:
        self._stopped.set()
        self._dirty.set()
        self._thread.join()
        save(self._path, self._snapshot())

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._dirty.wait()
            self._stopped.wait(self._pause)
            self._dirty.clear()
            save(self._path, self._snapshot())
