"""One request for a page: the ids in its address and the fields of its form or query."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Visit:
    parts: dict[str, str] = field(default_factory=dict)
    form: dict[str, list[str]] = field(default_factory=dict)

    def part(self, name: str) -> int:
        return int(self.parts[name])

    def text(self, name: str, default: str = "") -> str:
        return self.form.get(name, [default])[0]

    def number(self, name: str, default: int | None = None) -> int | None:
        text = self.text(name)
        return int(text) if text.isascii() and text.isdigit() else default

    def numbers(self, name: str) -> list[int]:
        return [int(text) for text in self.form.get(name, []) if text.isascii() and text.isdigit()]
