"""The time of a row's last change, in a column that every write through Django keeps current.

Systems that read changes (`updated_since` of the API's lists) must not miss one, so no writer has to set the column:
`save`, also with `update_fields`, `update`, `bulk_update` and Django's own writes (when an owner is erased) all set
it. A change of a column in `UNSEEN`, which no response shows, does not count.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from partner_portal.core.english import english as _

M = TypeVar("M", bound="UpdatedAt", covariant=True)


class UpdatedAtQuerySet(models.QuerySet[M]):
    """A queryset whose `update` also sets `updated_at`."""

    def update(self, **changes: Any) -> int:
        if self.model.is_seen(changes):
            changes.setdefault("updated_at", timezone.now())
        return super().update(**changes)


class UpdatedAt(models.Model):
    """An abstract model that records when its visible columns last changed."""

    UNSEEN: ClassVar[frozenset[str]] = frozenset()

    updated_at = models.DateTimeField(_("updated"), default=timezone.now, db_default=Now(), editable=False)

    objects = UpdatedAtQuerySet.as_manager()

    class Meta:
        abstract = True
        # Makes Django's own writes, to rows whose owner is deleted, use this queryset as well.
        base_manager_name = "objects"

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        if update_fields is None or self.is_seen(update_fields):
            self.updated_at = timezone.now()
            update_fields = None if update_fields is None else {*update_fields, "updated_at"}
        super().save(update_fields=update_fields, **options)

    @classmethod
    def is_seen(cls, names: Iterable[str]) -> bool:
        """Return whether any of these columns is visible in responses."""
        return bool(set(names) - cls.UNSEEN)
