"""Lists page by cursor: `{"next", "previous", "results"}` (INTERFACE.md)."""

from rest_framework.pagination import CursorPagination


class Cursor(CursorPagination):
    """Newest first; a page costs the same wherever it stands."""

    ordering = "-pk"
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000
