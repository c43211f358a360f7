"""A list as a file: read page by page while it is downloaded, in the memory of one page, and written down as it goes.

The download holds a thread of the web process for as long as its reader takes, and between two pages nothing of the
database. So a process carries few of them at once: the other threads are for Altegio.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from partner_portal.core.csv_writing import MARK, write_lines
from partner_portal.core.keyset_pages import read_pages
from partner_portal.core.models import ListExport

PAGE = 1000
# Of the four threads of a web process (gunicorn.conf.py).
MAX_AT_ONCE = 2
_free = threading.BoundedSemaphore(MAX_AT_ONCE)

Values = Callable[[Any], Iterable[object]]


class TooManyExportsError(Exception):
    """This process carries as many downloads as it may."""


def stream(
    export: ListExport, rows: QuerySet[Any], headings: Sequence[str], values: Values, file_name: str
) -> StreamingHttpResponse:
    """The answer that is the file. `export` is saved and counted on. Raises TooManyExportsError."""
    if not _free.acquire(blocking=False):
        raise TooManyExportsError
    try:
        export.save()
    except BaseException:
        _free.release()
        raise
    lines = _Download(export, headings, (write_lines(map(values, page)) for page in read_pages(rows, PAGE)))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


class _Download:
    """The pages as the server takes them. It calls `close` at the end, and when the reader has left."""

    def __init__(self, export: ListExport, headings: Sequence[str], pages: Iterator[Iterator[str]]) -> None:
        self._export, self._pages = export, pages
        self._head = [MARK, *write_lines([headings])]
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        yield "".join(self._head).encode()
        for page in self._pages:
            lines = list(page)
            self._note(handed_out=self._export.handed_out + len(lines))
            yield "".join(lines).encode()
        self._end(is_whole=True)

    def close(self) -> None:
        self._end(is_whole=False)

    def _end(self, *, is_whole: bool) -> None:
        if not self._is_open:
            return
        self._is_open = False
        _free.release()
        self._note(ended_at=timezone.now(), is_whole=is_whole)

    def _note(self, **changed: Any) -> None:
        for name, value in {**changed, "moved_at": timezone.now()}.items():
            setattr(self._export, name, value)
        self._export.save(update_fields=[*changed, "moved_at"])
