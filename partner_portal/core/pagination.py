"""Lists page by cursor: `{"next", "previous", "results"}` (docs/interface.md)."""

import re
from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

# A position is a row's id.
_ID = re.compile("[0-9]{1,18}")
NO_SUCH_CURSOR = {"cursor": ["This list gave out no such cursor. Follow `next` as it stands, or begin without one."]}


class Cursor(CursorPagination):
    """Newest first; a page costs the same wherever it stands."""

    ordering = "-pk"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000

    def get_page_size(self, request: Request) -> int | None:
        """How many to a page, 1 to 1000. Raises ValidationError for anything else."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if not _ID.fullmatch(asked) or not 1 <= int(asked) <= self.max_page_size:
            raise ValidationError({self.page_size_query_param: [f"Write a number from 1 to {self.max_page_size}."]})
        return int(asked)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """What the schema says of the addresses' parameters."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size}
        return parameters

    def decode_cursor(self, request: Request) -> Any:
        """The cursor in the address. Raises ValidationError for one that this list never gave out."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise ValidationError(NO_SUCH_CURSOR) from None
        position = "" if cursor is None or cursor.position is None else str(cursor.position)
        if position and not _ID.fullmatch(position):
            raise ValidationError(NO_SUCH_CURSOR)
        return cursor
