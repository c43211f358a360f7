"""Registries through which features extend parts of the portal that do not know them (docs/extension_points.md)."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


class AlreadyRegisteredError(ValueError):
    """Raised when two items or two extension points have the same name."""


class ExtensionPoint(Generic[Item]):
    """Named items in a fixed order, by rank and then by name, whichever module was imported first."""

    def __init__(self, name: str, purpose: str) -> None:
        """Create the point. `purpose` says in one sentence what may be added."""
        self.name = name
        self.purpose = purpose
        self._entries: dict[str, tuple[int, Item]] = {}
        if name in _points:
            raise AlreadyRegisteredError(f"There is an extension point {name!r} already.")
        _points[name] = self

    def __iter__(self) -> Iterator[Item]:
        """Iterate over all items in their order."""
        return iter([self._entries[name][1] for name in self.names()])

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._entries)

    def __getitem__(self, name: str) -> Item:
        """Return the item of this name. Raises KeyError if there is none."""
        return self._entries[name][1]

    def get(self, name: str) -> Item | None:
        """Return the item of this name, or None."""
        entry = self._entries.get(name)
        return entry[1] if entry else None

    def names(self) -> list[str]:
        """Return the names of all items in their order."""
        return sorted(self._entries, key=lambda name: (self._entries[name][0], name))

    def register(self, name: str, item: Item, *, rank: int = 0) -> Item:
        """Add `item` and return it; a lower `rank` comes first. Raises AlreadyRegisteredError for a used name."""
        if name in self._entries:
            raise AlreadyRegisteredError(f"{self.name}: {name!r} is registered already.")
        self._entries[name] = (rank, item)
        return item

    def add(self, name: str = "", *, rank: int = 0) -> Callable[[Item], Item]:
        """Return a decorator that adds a function under `name`, or else under its import path."""

        def decorate(item: Item) -> Item:
            return self.register(name or import_path(item), item, rank=rank)

        return decorate


_points: dict[str, "ExtensionPoint[Any]"] = {}


def extension_points() -> list[ExtensionPoint[Any]]:
    """Return all extension points of the portal, sorted by name."""
    return [_points[name] for name in sorted(_points)]


def import_path(item: object) -> str:
    """Return the import path of a function or class."""
    return f"{getattr(item, '__module__', '')}.{getattr(item, '__qualname__', '')}"
