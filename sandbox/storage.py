"""The data file: the state as JSON, written atomically and not more often than needed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from sandbox.models import State


def encode(value: Any) -> Any:
    """A dataclass tree as plain JSON."""
    if is_dataclass(value):
        return {item.name: encode(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | Enum) else value


def decode(declared: Any, value: Any) -> Any:
    """Plain JSON back into what the field's type declares."""
    if isinstance(declared, UnionType):
        present = next(item for item in get_args(declared) if item is not NoneType)
        return None if value is None else decode(present, value)
    if get_origin(declared) is list:
        return [decode(get_args(declared)[0], item) for item in value]
    if is_dataclass(declared) and isinstance(declared, type):
        hints = get_type_hints(declared)
        return declared(**{name: decode(hints[name], item) for name, item in value.items()})
    if declared is datetime:
        return datetime.fromisoformat(value)
    if declared is Decimal or (isinstance(declared, type) and issubclass(declared, Enum)):
        return declared(value)
    return value


def load(path: Path) -> State | None:
    """The state of an earlier run, or None on the first one."""
    if not path.exists():
        return None
    state: State = decode(State, json.loads(path.read_text(encoding="utf-8")))
    return state


def save(path: Path, text: str) -> None:
    """Replace the file in one step: a reader sees the old state or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


class Keeper:
    """Saves some time after a change, once for many changes, and once more at the end."""

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
