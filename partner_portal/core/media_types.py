"""What a request's headers say of types, without what lets the caller choose how its bytes are read.

Everything is UTF-8 here. A `charset` may name any of Python's codecs (`hex` reads no text), and a parameter after
RFC 2231 (`name*=nosuch''x`) makes Django fail wherever it looks at the header, before any view.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# Where the charset that the caller named stands: for those who read old exchanges' letters, and for no other.
NAMED_CHARSET = "portal.charset"
_CHARSET = re.compile(r';[ \t]*charset="?([\w-]{1,40})', re.IGNORECASE)
# What may stand in one; whether it is one says who reads the parts.
_BOUNDARY = re.compile(r';[ \t]*boundary=(?:"([^"\\]*)"|([^";\\\s]*))', re.IGNORECASE)


def keep_plain(environ: "WSGIEnvironment") -> None:
    """Leave of `Content-Type` the type and the boundary of parts, and no `Accept` with parameters after RFC 2231."""
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
