"""The admin's history: who did what to which row, which is named by its number only.

The history is kept for good. A row's name may be a person's e-mail address or a client's telephone number, and would
stay there after the person was erased and the row was deleted.
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
    """Record in the admin's history that this user did `what` to `row`."""
    _remember(request, [row], CHANGE, what)


def _remember(request: HttpRequest, rows: Iterable[Any], flag: int, what: str | list[Any]) -> list[LogEntry]:
    message = what if isinstance(what, str) else json.dumps(what)
    return LogEntry.objects.bulk_create(
        LogEntry(
            user_id=cast("int", request.user.pk),
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            # A key that is a text may contain a secret's hash.
            object_repr=f"#{row.pk}" if isinstance(row.pk, int) else "#…",
            action_flag=flag,
            change_message=message,
        )
        for row in rows
    )


class NamesNobody(admin.ModelAdmin[Any]):
    """An admin that logs rows by number only, also the changes that Django logs by itself."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return _remember(request, [obj], ADDITION, message)[0]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return _remember(request, [obj], CHANGE, message)[0]

    def log_deletions(self, request: HttpRequest, queryset: Any) -> list[LogEntry]:
        return _remember(request, queryset, DELETION, "")
