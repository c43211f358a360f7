"""Reading a CSV file as people send it: from Excel, with a byte order mark, semicolons, empty rows at its end."""

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

_SEPARATORS = ",;\t"
SAVE_AS = "Excel saves such a file as “CSV UTF-8”."
MORE_VALUES = "The row has more values than the file has columns."


class UnreadableFileError(Exception):
    """The file as a whole cannot be read; `str()` says why."""


class InvalidRowError(ValueError):
    """This row cannot be read; `str()` says why."""


Row = dict[str, str]


def read_rows(lines: Iterable[str], columns: Sequence[str]) -> Iterator[tuple[int, Row | InvalidRowError]]:
    """Each row that says something, with the number of the line in which it ends.

    The first line must name at least `columns`, each once. A value that is missing reads as "". Raises
    UnreadableFileError.
    """
    lines = iter(lines)
    try:
        first = next(lines, "").removeprefix("\ufeff")
        separator = max(_SEPARATORS, key=first.count)
        reader = csv.reader(_with(first, lines), delimiter=separator, strict=True)
    except UnicodeDecodeError as problem:
        raise UnreadableFileError(f"The first line is not CSV in UTF-8 ({problem}). {SAVE_AS}") from None
    try:
        names = [name.strip() for name in next(reader, [])]
        _check(names, columns)
        for values in reader:
            if any(value.strip() for value in values):
                yield reader.line_num, _row(names, values)
    except (csv.Error, UnicodeDecodeError) as problem:
        raise UnreadableFileError(
            f"After line {reader.line_num} the file is not CSV in UTF-8 ({problem}). {SAVE_AS}"
        ) from None


@contextmanager
def opened(path: Path) -> Iterator[tuple[Iterator[str], "tqdm[Any]"]]:
    """The file's lines, and the bar that shows on a terminal how many of its bytes are read."""

    def lines() -> Iterator[str]:
        for line in file:
            bar.update(len(line.encode()))
            yield line

    with (
        path.open(encoding="utf-8-sig", newline="") as file,
        tqdm(total=path.stat().st_size, file=sys.stderr, disable=None, leave=False, unit="B", unit_scale=True) as bar,
    ):
        yield lines(), bar


def _with(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _check(names: list[str], columns: Sequence[str]) -> None:
    if missing := [name for name in columns if name not in names]:
        raise UnreadableFileError(f"The first line must name the columns; there is no {', '.join(missing)}.")
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise UnreadableFileError(f"The first line names {', '.join(twice)} more than once: leave one of them.")


def _row(names: list[str], values: list[str]) -> Row | InvalidRowError:
    """The row by its columns' names. A value that stands under no name is a mistake of the file."""
    named = dict.fromkeys(filter(None, names), "")
    for index, value in enumerate(values):
        name = names[index] if index < len(names) else ""
        if name:
            named[name] = value
        elif value.strip():
            return InvalidRowError(MORE_VALUES)
    return named
