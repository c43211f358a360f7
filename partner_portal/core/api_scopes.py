"""Which scope a call of the API needs (docs/interface.md §5)."""

from typing import Any


def scope_of(view: Any, method: str | None) -> str | None:
    """What the view names in `scope`, or in `scopes` for a method that needs another; None: nobody may call it."""
    scope: str | None = getattr(view, "scopes", {}).get(method) or getattr(view, "scope", None)
    return scope
