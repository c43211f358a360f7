"""The settings of the sandbox: where Altegio's behaviour varies, a setting chooses which variant is played."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

ARRIVAL_FORMS = ("brackets", "comma", "indexed")
MARKETPLACE_HOSTS = ("app", "api", "both")
GONE_ANSWERS = ("404", "empty")
REDIRECT_ANSWERS = (200, 301)
DESTINATIONS = ("object", "list")
ID_NAMES = ("id", "send_id")
PHONE_NAMES = ("phone", "phone_number")
CHANNEL_NAMES = ("type", "channel")


@dataclass(frozen=True)
class Settings:
    """The behaviour that is played; the defaults are Altegio on a good day, without rate limits."""

    activation_window: int = 3600
    """Seconds from the consent within which an activation is accepted (docs/altegio.md §1)."""
    redirect_answer: int = 301
    """What the redirecting activation answers after having activated: 200 with JSON or 301 to a page."""
    gone_answer: str = "404"
    """What the status call says of an uninstalled connection: 404, or 200 without a current connection."""
    list_frozen: bool = True
    """Whether the list of connected locations holds the frozen ones."""
    marketplace_host: str = "app"
    """Which host has tariffs, payment link, discount and channel: app, api or both; the other one answers 404."""
    numbers_as_strings: bool = False
    """Whether numbers in answers come as strings, as seen live."""
    padded_amounts: bool = False
    """Whether the numbers of a payment event stand as texts with two decimals; signed is what JavaScript prints."""
    call_list_page: int = 25
    """The most calls on a page of the call list, whatever is asked for."""
    knows_call_ids: bool = True
    """Whether a saved call with a `call_id` that the chain has already takes the earlier one's place."""
    surprises: bool = False
    """Whether the status call holds a field and, for a frozen connection, a state that no document names."""
    max_chat_panels: int | None = None
    """How many chat panels a location has room for; beyond it nothing is made, and the answer is 200 all the same."""
    requests_per_second: int | None = None
    requests_per_minute: int | None = None
    """Limits of sliding windows over all partner calls; None does not enforce."""
    callbacks_enabled: bool = True
    callback_copies: int = 1
    """How many times each lifecycle callback is sent: 0 is never, 2 is twice."""
    callback_delay: float = 0.0
    """Seconds by which a lifecycle callback is late."""
    arrival_form: str = "brackets"
    """How several locations stand in the arrival's address: brackets, comma or indexed."""
    message_destinations: str = "object"
    """Whether a message's `destination_params` are one object, or a list of them (docs/altegio.md §4a)."""
    message_id_name: str = "id"
    message_phone_name: str = "phone"
    message_channel_name: str = "type"
    """What the send id, the number and the channel of a message are called: id or send_id, and so on."""

    def changed(self, **values: Any) -> Self:
        """Return a copy with some settings changed. Raises ValueError, which names the wrong one."""
        types = {item.name: item.type for item in fields(self)}
        for name, value in values.items():
            if name not in types:
                raise ValueError(f"there is no setting {name!r}")
            if not _fits(str(types[name]), value):
                raise ValueError(f"{name} must be {types[name]}, got {value!r}")
        result = replace(self, **values)
        _check_choice("arrival_form", result.arrival_form, ARRIVAL_FORMS)
        _check_choice("marketplace_host", result.marketplace_host, MARKETPLACE_HOSTS)
        _check_choice("gone_answer", result.gone_answer, GONE_ANSWERS)
        _check_choice("redirect_answer", result.redirect_answer, REDIRECT_ANSWERS)
        _check_choice("message_destinations", result.message_destinations, DESTINATIONS)
        _check_choice("message_id_name", result.message_id_name, ID_NAMES)
        _check_choice("message_phone_name", result.message_phone_name, PHONE_NAMES)
        _check_choice("message_channel_name", result.message_channel_name, CHANNEL_NAMES)
        return result

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _fits(declared: str, value: object) -> bool:
    if declared == "bool":
        return isinstance(value, bool)
    if declared == "str":
        return isinstance(value, str)
    if value is None:
        return declared.endswith("| None")
    numbers = (int, float) if declared == "float" else (int,)
    return isinstance(value, numbers) and not isinstance(value, bool) and value >= 0


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(str, choices))}")
