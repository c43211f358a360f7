"""A brand's logo: an SVG or PNG file, small enough for a page's header, and named by a hash of its content."""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

MAX_BYTES = 128 * 1024
MAX_SIDE = 2000
CONTENT_TYPES = {"svg": "image/svg+xml", "png": "image/png"}
_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class Logo:
    """A validated logo. Its `name` changes with its content, so that its URL may be cached for good."""

    name: str
    content: bytes


class _EntitiesError(ValueError):
    """Raised when an SVG declares entities."""


def read_logo(content: bytes) -> Logo:
    """Return the logo in a file's content.

    Raises ValueError, which says what to do, if it is not an SVG or PNG or is too large.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"The logo has {len(content) // 1024} KiB. Give one of at most {MAX_BYTES // 1024} KiB.")
    if content.startswith(_PNG):
        _check_png(content)
        kind = "png"
    elif _is_svg(content):
        kind = "svg"
    else:
        raise ValueError("The logo is neither SVG nor PNG. Save it as one of them.")
    return Logo(f"{hashlib.sha256(content).hexdigest()[:32]}.{kind}", content)


def read_logo_file(path: str) -> Logo:
    """Return the logo at `path`. Raises ValueError as `read_logo` does, and if the file cannot be read."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ValueError(f"The logo {path} cannot be read ({reason}). Give the path of an SVG or PNG.") from error
    return read_logo(content)


def content_type_of(name: str) -> str:
    """Return the content type of the logo with this name."""
    return CONTENT_TYPES[name.rpartition(".")[2]]


def _check_png(content: bytes) -> None:
    try:
        width, height = struct.unpack(">4xII", content[12:24]) if content[12:16] == b"IHDR" else (0, 0)
    except struct.error:
        width = height = 0
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError(f"The PNG says no size of 1 to {MAX_SIDE} pixels a side. Save it again, smaller.")


def _is_svg(content: bytes) -> bool:
    """Return whether the content is well-formed XML whose root element is `svg`.

    Raises ValueError if it declares entities, because these could expand without limit.
    """
    roots: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, _attributes: roots.append(name) if not roots else None
    parser.EntityDeclHandler = _refuse_entity
    try:
        parser.Parse(content, True)
    except _EntitiesError:
        raise
    except (expat.ExpatError, LookupError, ValueError):  # LookupError and ValueError: an encoding that expat lacks
        return False
    return roots == [f"{_SVG} svg"]


def _refuse_entity(*_: object) -> None:
    raise _EntitiesError("The SVG declares entities. Save it as plain SVG.")
