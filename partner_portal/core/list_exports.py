"""Exports of lists as files that are read page by page during the download, with their progress on record.

A download needs the memory of one page only, and holds nothing of the database between two pages. But it occupies a
thread of the web process for as long as its reader takes, so a process serves only a few at once: the other threads
are for Altegio.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import Empty, SimpleQueue
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
# A queue, because the garbage collector may return a slot while another slot is being taken.
_places: SimpleQueue[int] = SimpleQueue()
for _place in range(MAX_AT_ONCE):
    _places.put(_place)

Values = Callable[[Any], Iterable[object]]


class TooManyExportsError(Exception):
    """Raised when this process already serves as many downloads as it may."""


def stream(
    export: ListExport, rows: QuerySet[Any], headings: Sequence[str], values: Values, file_name: str
) -> StreamingHttpResponse:
    """Return the response that streams the file; `export` is saved and updated on the way.

    Raises TooManyExportsError.
    """
    lines = _Download(export, headings, (write_lines(map(values, page)) for page in read_pages(rows, PAGE)))
    export.save()
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


class _Download:
    """The pages of one download. The server iterates over them, and calls `close` at the end or if the reader left.

    It holds one of the process's slots until then. Raises TooManyExportsError if none is free.
    """

    def __init__(self, export: ListExport, headings: Sequence[str], pages: Iterator[Iterator[str]]) -> None:
        self._export, self._pages = export, pages
        self._head = [MARK, *write_lines([headings])]
        try:
            place = _places.get_nowait()
        except Empty:
            raise TooManyExportsError from None
        # This also returns the slot if the response is discarded unread, as after an error in a middleware.
        self._leave_place = weakref.finalize(self, _places.put, place)

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
        if self._leave_place.alive:
            self._leave_place()
            self._note(ended_at=timezone.now(), is_whole=is_whole)

    def _note(self, **changed: Any) -> None:
        for name, value in {**changed, "moved_at": timezone.now()}.items():
            setattr(self._export, name, value)
        self._export.save(update_fields=[*changed, "moved_at"])
