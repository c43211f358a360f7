"""Cursor pagination of the API's lists: `{"next", "previous", "results"}` (docs/interface.md)."""

import re
from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from partner_portal.core.byte_portions import count_that_fit, size_of

# A cursor's position is a row's id.
_ID = re.compile("[0-9]{1,18}")
NO_SUCH_CURSOR = {"cursor": ["This list gave out no such cursor. Follow `next` as it stands, or begin without one."]}


class Cursor(CursorPagination):
    """Pagination with the newest rows first; every page costs the same."""

    ordering = "-pk"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000

    def get_page_size(self, request: Request) -> int | None:
        """Return the requested page size, 1 to 1000. Raises ValidationError for anything else."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if not _ID.fullmatch(asked) or not 1 <= int(asked) <= self.max_page_size:
            raise ValidationError({self.page_size_query_param: [f"Write a number from 1 to {self.max_page_size}."]})
        return int(asked)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the OpenAPI description of the pagination's parameters."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size}
        return parameters

    def decode_cursor(self, request: Request) -> Any:
        """Return the cursor in the URL. Raises ValidationError for one that this list never returned."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise ValidationError(NO_SUCH_CURSOR) from None
        position = "" if cursor is None or cursor.position is None else str(cursor.position)
        if position and not _ID.fullmatch(position):
            raise ValidationError(NO_SUCH_CURSOR)
        return cursor


class LargeRowsCursor(Cursor):
    """Pagination of large rows: a page ends at MAX_BYTES in `large_column`, and `next` continues there.

    `ordering` must name a column other than the key.
    """

    large_column = ""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """Return the page's rows; large columns are read only for the rows that it shows."""
        bare = queryset.select_related(None).prefetch_related(None).only("pk", self.ordering.lstrip("-"))
        sized = bare.annotate(stored_bytes=size_of(self.large_column))
        rows: list[Any] | None = super().paginate_queryset(sized, request, view)
        if rows is None:
            return None
        keys = [row.pk for row in self._end_earlier(rows)]
        whole = queryset.in_bulk(keys)
        return [whole[key] for key in keys if key in whole]

    def _end_earlier(self, rows: list[Any]) -> list[Any]:
        """Leave out the rows that do not fit, at the end towards which the reader moves."""
        backwards = self.cursor is not None and self.cursor.reverse
        onwards = rows[::-1] if backwards else rows
        count = count_that_fit(row.stored_bytes for row in onwards)
        if count == len(rows):
            return rows
        left_out = self._get_position_from_instance(onwards[count], self.ordering)
        if backwards:
            self.has_previous, self.previous_position = True, left_out
            shown = rows[len(rows) - count :]
        else:
            self.has_next, self.next_position = True, left_out
            shown = rows[:count]
        self.page = shown
        return shown
