"""The admin's history: who did what to which row, named by its number.

The history is kept for good, and what a row is called may be a person's address or a client's telephone number: it
would stand there after the person was erased and the row was deleted.
"""

import json
from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest


def log_change(request: HttpRequest, row: Model, what: str) -> None:
    """Remember in the admin's history who did what."""
    _remember(request, [row], CHANGE, what)


def _remember(request: HttpRequest, rows: Iterable[Any], flag: int, what: str | list[Any]) -> list[LogEntry]:
    message = what if isinstance(what, str) else json.dumps(what)
    return LogEntry.objects.bulk_create(
        LogEntry(
            user_id=cast("int", request.user.pk),
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            # A key that is a text may hold a secret's hash.
            object_repr=f"#{row.pk}" if isinstance(row.pk, int) else "#…",
            action_flag=flag,
            change_message=message,
        )
        for row in rows
    )


class NamesNobody(admin.ModelAdmin[Any]):
    """A screen whose changes are remembered so, those that Django writes down by itself too."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return _remember(request, [obj], ADDITION, message)[0]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return _remember(request, [obj], CHANGE, message)[0]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> list[LogEntry]:
        return _remember(request, queryset, DELETION, "")
