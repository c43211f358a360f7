"""The scope that an API call needs (docs/interface.md §5)."""

from typing import Any


def scope_of(view: Any, method: str | None) -> str | None:
    """Return the method's entry in the view's `scopes`, else the view's `scope`; None means nobody may call it."""
    scope: str | None = getattr(view, "scopes", {}).get(method) or getattr(view, "scope", None)
    return scope
