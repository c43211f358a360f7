"""When a row last changed: a column that every write through Django keeps true, whoever writes.

Systems that read along (`updated_since` of the API's lists) must not miss a change, so no writer has to think of it:
`save`, also of some fields alone, `update`, `bulk_update` and what Django itself sets (an owner who was erased) all
pass here. A column that no answer shows is named in `UNSEEN` and moves nothing.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from partner_portal.core.english import english as _

M = TypeVar("M", bound="UpdatedAt", covariant=True)


class UpdatedAtQuerySet(models.QuerySet[M]):
    """Rows whose `updated_at` follows every `update`."""

    def update(self, **changes: Any) -> int:
        if self.model.is_seen(changes):
            changes.setdefault("updated_at", timezone.now())
        return super().update(**changes)


class UpdatedAt(models.Model):
    """A row that knows when what is shown of it last changed."""

    UNSEEN: ClassVar[frozenset[str]] = frozenset()

    updated_at = models.DateTimeField(_("updated"), default=timezone.now, db_default=Now(), editable=False)

    objects = UpdatedAtQuerySet.as_manager()

    class Meta:
        abstract = True
        # So that Django's own writes, to rows whose owner is deleted, are among them.
        base_manager_name = "objects"

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        if update_fields is None or self.is_seen(update_fields):
            self.updated_at = timezone.now()
            update_fields = None if update_fields is None else {*update_fields, "updated_at"}
        super().save(update_fields=update_fields, **options)

    @classmethod
    def is_seen(cls, names: Iterable[str]) -> bool:
        """Return whether any of these columns is shown to others."""
        return bool(set(names) - cls.UNSEEN)
