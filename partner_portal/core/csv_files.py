"""Reading of CSV files as people send them: from Excel, with a byte order mark, semicolons or empty last rows."""

import csv
import sys
from argparse import ArgumentParser, ArgumentTypeError
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from tqdm import tqdm

_SEPARATORS = ",;\t"
UTF_8, UTF_16 = "utf-8-sig", "utf-16"
SAVE_AS = (
    "Excel saves such a file as “CSV UTF-8”; for one that another program wrote, --encoding says how, "
    "for example --encoding windows-1251."
)
MORE_VALUES = "The row has more values than the file has columns."


class UnreadableFileError(Exception):
    """Raised when the file as a whole cannot be read; `str()` says why."""


class InvalidRowError(ValueError):
    """The error of a row that cannot be read; `str()` says why. `read_rows` yields it instead of raising it."""


Row = dict[str, str]


def read_rows(
    lines: Iterable[str], columns: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[int, Row | InvalidRowError]]:
    """Yield each row that is not empty, with the number of the line in which it ends.

    The first line must name `columns`, each once, and may name the `optional` ones. A missing value is read as "".
    Raises UnreadableFileError.
    """
    lines = iter(lines)
    try:
        first = next(lines, "").removeprefix("\ufeff")
        separator = max(_SEPARATORS, key=first.count)
        reader = csv.reader(_with(first, lines), delimiter=separator, strict=True)
    except UnicodeError as problem:
        raise UnreadableFileError(f"The file is not readable CSV ({problem}). {SAVE_AS}") from None
    try:
        names = [name.strip() for name in next(reader, [])]
        _check(names, columns, optional)
        for values in reader:
            if any(value.strip() for value in values):
                yield reader.line_num, _row(names, values)
    except (csv.Error, UnicodeError) as problem:
        raise UnreadableFileError(
            f"After line {reader.line_num} the file is not readable CSV ({problem}). {SAVE_AS}"
        ) from None


def add_file_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of a command that reads a file: its path, and its encoding if that cannot be detected."""
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--encoding",
        type=_encoding,
        help="how the file is written, for example windows-1251; without it UTF-8, or UTF-16 with a byte order mark",
    )


def _encoding(name: str) -> str:
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ArgumentTypeError(f"there is no encoding {name}") from None
    return name


@contextmanager
def opened(path: Path, encoding: str | None = None) -> Iterator[tuple[Iterator[str], "tqdm[Any]"]]:
    """Open the file. Yields its lines, and a bar that shows on a terminal how many of its bytes are read."""

    def lines() -> Iterator[str]:
        for line in file:
            bar.update(raw.tell() - bar.n)
            yield line

    with (
        path.open("rb") as raw,
        TextIOWrapper(raw, encoding=encoding or _seen_encoding(path), newline="") as file,
        tqdm(total=path.stat().st_size, file=sys.stderr, disable=None, leave=False, unit="B", unit_scale=True) as bar,
    ):
        yield lines(), bar


def _seen_encoding(path: Path) -> str:
    """Detect UTF-16 by its byte order mark, else return UTF-8. One-byte encodings must be named: none is guessed."""
    with path.open("rb") as file:
        return UTF_16 if file.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE) else UTF_8


def _with(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _check(names: list[str], columns: Sequence[str], optional: Sequence[str]) -> None:
    """Raise UnreadableFileError for missing, repeated or unknown column names.

    An unknown name may be a misspelt optional column, which would silently be left out.
    """
    if missing := [name for name in columns if name not in names]:
        raise UnreadableFileError(f"The first line must name the columns; there is no {', '.join(missing)}.")
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise UnreadableFileError(f"The first line names {', '.join(twice)} more than once: leave one of them.")
    if unknown := [name for name in names if name and name not in (*columns, *optional)]:
        raise UnreadableFileError(
            f"The first line names {', '.join(unknown)}, which is no column here: correct it, or take it out. "
            f"The columns are: {', '.join((*columns, *optional))}."
        )


def _row(names: list[str], values: list[str]) -> Row | InvalidRowError:
    """Return the row by column names, or InvalidRowError if a value stands under no name."""
    named = dict.fromkeys(filter(None, names), "")
    for index, value in enumerate(values):
        name = names[index] if index < len(names) else ""
        if name:
            named[name] = value
        elif value.strip():
            return InvalidRowError(MORE_VALUES)
    return named
