"""Helpers that find what people read, or hear from a screen reader, on a page or in an e-mail."""

import re
from html.parser import HTMLParser

READ_OUT = {"title", "alt", "aria-label", "placeholder"}
# Scripts read these attributes and do not show them.
FOR_SCRIPTS = {"data-state", "data-deadline", "data-altegio", "data-live", "data-news", "data-salon"}
SILENT = {"script", "style"}
VOID = {"meta", "link", "img", "input", "br", "path", "circle", "rect"}
WORD = re.compile(r"[^\W\d_]{2,}")


class _Reader(HTMLParser):
    """A parser that collects texts, without those marked as being in another language."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.path: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        marked = tag != "html" and any(name == "lang" for name, _value in attrs)
        if tag not in VOID:
            self.path.append((tag, marked or tag in SILENT or self._is_silent()))
        if marked or self._is_silent():
            return
        for name, value in attrs:
            if name in READ_OUT or (name.startswith("data-") and name not in FOR_SCRIPTS):
                self.texts.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        while self.path and self.path.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self._is_silent():
            self.texts.append(data)

    def _is_silent(self) -> bool:
        return bool(self.path) and self.path[-1][1]


def visible_texts(page: str) -> list[str]:
    """Return every text of an HTML page, or the lines of a plain e-mail, without blank ones."""
    if "<html" not in page:
        return [line.strip() for line in page.splitlines() if line.strip()]
    reader = _Reader()
    reader.feed(page)
    return [" ".join(text.split()) for text in reader.texts if text.strip()]


def words(text: str, data: frozenset[str]) -> list[str]:
    """Return the portal's own words in a text, without data, addresses and single e-mails."""
    for known in sorted(data, key=len, reverse=True):
        text = text.replace(known, " ")
    text = re.sub(r"https?://\S+|\{\w+\}", " ", text)
    return WORD.findall(text)
