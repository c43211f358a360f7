"""Where features add what is theirs to a part of the portal that does not know them (docs/extension_points.md)."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


class AlreadyRegisteredError(ValueError):
    """Two items, or two points, have the same name."""


class ExtensionPoint(Generic[Item]):
    """Named items in a fixed order, by rank and then by name: which module was imported first never matters."""

    def __init__(self, name: str, purpose: str) -> None:
        """`purpose` says in one sentence what may be added."""
        self.name = name
        self.purpose = purpose
        self._entries: dict[str, tuple[int, Item]] = {}
        if name in _points:
            raise AlreadyRegisteredError(f"There is an extension point {name!r} already.")
        _points[name] = self

    def __iter__(self) -> Iterator[Item]:
        """All items in their order."""
        return iter([self._entries[name][1] for name in self.names()])

    def __len__(self) -> int:
        """How many there are."""
        return len(self._entries)

    def __getitem__(self, name: str) -> Item:
        """The item of this name. Raises KeyError where nothing has it."""
        return self._entries[name][1]

    def get(self, name: str) -> Item | None:
        """The item of this name; None where nothing has it."""
        entry = self._entries.get(name)
        return entry[1] if entry else None

    def names(self) -> list[str]:
        """The names of all items in their order."""
        return sorted(self._entries, key=lambda name: (self._entries[name][0], name))

    def register(self, name: str, item: Item, *, rank: int = 0) -> Item:
        """Add `item`; one of a lower `rank` comes first. Raises AlreadyRegisteredError for a name that is taken."""
        if name in self._entries:
            raise AlreadyRegisteredError(f"{self.name}: {name!r} is registered already.")
        self._entries[name] = (rank, item)
        return item

    def add(self, name: str = "", *, rank: int = 0) -> Callable[[Item], Item]:
        """Decorator: add a function under `name`, or under the path it is imported by."""

        def decorate(item: Item) -> Item:
            return self.register(name or import_path(item), item, rank=rank)

        return decorate


_points: dict[str, "ExtensionPoint[Any]"] = {}


def extension_points() -> list[ExtensionPoint[Any]]:
    """All points of the portal, by name."""
    return [_points[name] for name in sorted(_points)]


def import_path(item: object) -> str:
    """Where a function or class is imported from."""
    return f"{getattr(item, '__module__', '')}.{getattr(item, '__qualname__', '')}"
