"""Conversion of a page to one without any effect: its forms, scripts and links do nothing."""

from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

_LEFT_OUT = frozenset({"script", "noscript", "iframe", "object", "template"})
_LEFT_OUT_VOID = frozenset({"embed", "base"})
_CONTROLS = frozenset({"button", "input", "select", "textarea", "fieldset"})
# The attributes that navigate or send something, except the `href` of `a`, which is checked by itself.
_ACTING = frozenset({"action", "method", "target", "formaction", "formmethod", "formtarget", "ping", "download"})

Attributes = list[tuple[str, str | None]]


def make_inert(page: str, banner: str, *, keeps: Callable[[str], bool]) -> str:
    """Return the HTML `page` with `banner` on top, its controls disabled, and only the links that `keeps` allows."""
    writer = _Writer(banner, keeps)
    writer.feed(page)
    writer.close()
    return "".join(writer.parts)


class _Writer(HTMLParser):
    """A parser that writes the HTML that it reads without the active parts."""

    def __init__(self, banner: str, keeps: Callable[[str], bool]) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._banner, self._keeps, self._left_out = banner, keeps, ""

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if self._left_out or _is_left_out(tag, dict(attrs)):
            if not self._left_out and tag in _LEFT_OUT:
                self._left_out = tag
            return
        self.parts.append(_written(tag, self._cut(tag, attrs)))
        if tag == "body":
            self.parts.append(self._banner)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        if not self._left_out and tag not in _LEFT_OUT and not _is_left_out(tag, dict(attrs)):
            self.parts.append(_written(tag, self._cut(tag, attrs), end=" /"))

    def handle_endtag(self, tag: str) -> None:
        if self._left_out:
            self._left_out = "" if tag == self._left_out else self._left_out
        elif tag not in _LEFT_OUT:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._write(data)

    def handle_entityref(self, name: str) -> None:
        self._write(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._write(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self._write(f"<!{decl}>")

    def _write(self, text: str) -> None:
        if not self._left_out:
            self.parts.append(text)

    def _cut(self, tag: str, attrs: Attributes) -> Attributes:
        kept = [(name, value) for name, value in attrs if name not in _ACTING and not name.startswith("on")]
        if tag == "a":
            kept = [(name, value) for name, value in kept if name != "href" or self._keeps(value or "")]
        return [*kept, ("disabled", None)] if tag in _CONTROLS else kept


def _is_left_out(tag: str, attrs: dict[str, str | None]) -> bool:
    """Return whether an element is left out, as are page reloads and hidden fields, which hold a form's tokens."""
    return (
        tag in _LEFT_OUT
        or tag in _LEFT_OUT_VOID
        or (tag == "meta" and "http-equiv" in attrs)
        or (tag == "input" and (attrs.get("type") or "").lower() == "hidden")
    )


def _written(tag: str, attrs: Attributes, end: str = "") -> str:
    written = "".join(f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in attrs)
    return f"<{tag}{written}{end}>"
