"""A location's webhook settings as Altegio writes them (docs/altegio.md §2, webhook settings).

A write replaces the addresses of the whole location, including those of other applications. The portal therefore
writes what it has read, with one more address.
"""

from dataclasses import dataclass
from typing import Any

from integrations.altegio.answers import Answer, Outcome

# The maximum for a location, for all applications together (docs/altegio.md §2, activate).
MAX_ADDRESSES = 10
FLAGS = (
    *("active", "salon", "service_category", "service", "good", "master", "client", "record"),
    *("goods_operations_sale", "goods_operations_receipt", "goods_operations_consumable", "goods_operations_stolen"),
    *("goods_operations_move", "finances_operation", "self_sending"),
)


@dataclass(frozen=True)
class HooksSettings:
    """The addresses, and each documented flag as it came."""

    urls: tuple[str, ...]
    flags: dict[str, Any]

    @property
    def is_active(self) -> bool:
        """Whether the location sends events at all."""
        return self.flags.get("active") in (True, 1, "1", "true")

    def with_address(self, url: str) -> dict[str, Any]:
        """Return the body that adds one address and leaves all else as it is."""
        return {**self.flags, "urls": [*self.urls, url]}


def read_hooks(answer: Answer) -> HooksSettings | None:
    """Return the settings, or None if the answer does not hold them, so that nobody writes without knowing them."""
    return parse_hooks(answer.data) if answer.outcome is Outcome.ACCEPTED else None


def parse_hooks(data: Any) -> HooksSettings | None:
    """Return the settings in data that was read and kept, or None if it holds none."""
    urls = data.get("urls") if isinstance(data, dict) else None
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        return None
    return HooksSettings(tuple(urls), {name: data[name] for name in FLAGS if name in data})
