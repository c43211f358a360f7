"""Cleaning of a request's `Content-Type` and `Accept`, so that the caller cannot choose how bytes are decoded.

The portal reads UTF-8. A `charset` may name any Python codec (`hex` does not decode to text), and an RFC 2231
parameter (`name*=nosuch''x`) makes Django fail wherever it reads the header, before any view.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# The WSGI variable with the caller's charset, only for endpoints that read requests of old telephone exchanges.
NAMED_CHARSET = "portal.charset"
_CHARSET = re.compile(r';[ \t]*charset="?([\w-]{1,40})', re.IGNORECASE)
# Matches more than valid boundaries; the multipart parser refuses the rest.
_BOUNDARY = re.compile(r';[ \t]*boundary=(?:"([^"\\]*)"|([^";\\\s]*))', re.IGNORECASE)


def keep_plain(environ: "WSGIEnvironment") -> None:
    """Reduce `Content-Type` to its type and multipart boundary, and drop an `Accept` with RFC 2231 parameters."""
    if "CONTENT_TYPE" in environ:
        if named := _CHARSET.search(environ["CONTENT_TYPE"]):
            environ[NAMED_CHARSET] = named[1]
        environ["CONTENT_TYPE"] = _plain(environ["CONTENT_TYPE"])
    if "*=" in environ.get("HTTP_ACCEPT", ""):
        del environ["HTTP_ACCEPT"]


def _plain(content_type: str) -> str:
    kind, _semicolon, _parameters = content_type.partition(";")
    boundary = _BOUNDARY.search(content_type) if kind.strip().lower().startswith("multipart/") else None
    return f'{kind}; boundary="{boundary[1] or boundary[2] or ""}"' if boundary else kind
