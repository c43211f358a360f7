"""A check that this host has collected the static files that pages need."""

from typing import Any, cast

from django.apps import apps
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage

HOW = "Run `python manage.py collectstatic --noinput` on this web host, then start web again."
# The manifest that was found complete. The process reads it only once, so it stays complete.
_complete: dict[str, str] | None = None


def missing_static_files() -> str:
    """Return what is wrong with this host's static files and how to fix it; "" if pages can be shown."""
    global _complete
    storage = cast("Any", staticfiles_storage)
    if not isinstance(storage, ManifestFilesMixin) or storage.hashed_files is _complete:
        return ""
    if missing := [name for name in _wanted() if not _is_there(storage, name)]:
        return f"{len(missing)} static files are missing, {missing[0]} for one: pages cannot be shown. {HOW}"
    _complete = storage.hashed_files
    return ""


def _wanted() -> list[str]:
    ignored = cast("Any", apps.get_app_config("staticfiles")).ignore_patterns
    return [name for finder in get_finders() for name, _storage in finder.list(ignored)]


def _is_there(storage: Any, name: str) -> bool:
    try:
        return bool(storage.exists(storage.stored_name(name)))
    except ValueError:  # not in the manifest
        return False
