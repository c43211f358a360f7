"""Re-encryption of every stored secret with the newest key of `FIELD_ENCRYPTION_KEYS`, while the portal runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Cast

from partner_portal.core.byte_portions import first_keys
from partner_portal.core.encryption import EncryptedTextField, decrypt, rotated

BATCH = 200


@dataclass
class Progress:
    """The progress of one column; `unreadable` lists the primary keys of rows that no encryption key can decrypt."""

    column: str
    total: int
    seen: int
    changed: int
    unreadable: list[Any]


def rotate_keys() -> Iterator[Progress]:
    """Re-encrypt every secret that is not encrypted with the newest key yet.

    Yields the progress of each column before the first batch and after each one. It may be stopped, run again, and
    run while the portal writes: a secret that changes meanwhile keeps its new value.
    """
    for model, name in _columns():
        yield from _rotate_column(model, name)


def unreadable_columns() -> list[str]:
    """Return the columns whose newest value cannot be decrypted with any of the keys."""
    return [f"{model._meta.label}.{name}" for model, name in _columns() if not _is_newest_readable(model, name)]


def _columns() -> Iterator[tuple[type[models.Model], str]]:
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field.name


def _stored(model: type[models.Model], name: str) -> models.QuerySet[Any]:
    """Return the rows with a secret in this column, annotated with its encrypted value (`stored`)."""
    found = model._base_manager.annotate(stored=Cast(name, models.TextField()))
    return found.exclude(stored="").exclude(stored=None)


def _is_newest_readable(model: type[models.Model], name: str) -> bool:
    newest = _stored(model, name).order_by("-pk").values_list("stored", flat=True).first()
    try:
        decrypt(newest or "")
    except ValueError:
        return False
    return True


def _rotate_column(model: type[models.Model], name: str) -> Iterator[Progress]:
    stored = _stored(model, name).order_by("pk")
    progress = Progress(f"{model._meta.label}.{name}", stored.count(), 0, 0, [])
    yield progress
    last: Any = None
    while keys := first_keys(stored if last is None else stored.filter(pk__gt=last), name, BATCH):
        with transaction.atomic():
            for pk, old in stored.filter(pk__in=keys).values_list("pk", "stored"):
                _rotate(stored, name, pk, old, progress)
        progress.seen += len(keys)
        last = keys[-1]
        yield progress


def _rotate(stored: models.QuerySet[Any], name: str, pk: Any, old: str, progress: Progress) -> None:
    if _is_newest(old):
        return
    try:
        new = rotated(old)
    except ValueError:
        progress.unreadable.append(pk)
        return
    # Both values are already encrypted, so compare and write them without the field's own encryption.
    changed = stored.order_by().filter(pk=pk, stored=old)
    progress.changed += changed.update(**{name: models.Value(new, output_field=models.TextField())})


def _is_newest(stored: str) -> bool:
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(stored.encode())
    except InvalidToken:
        return False
    return True
