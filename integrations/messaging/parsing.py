"""Reading the statuses a gateway reports: all are checked before any is stored (docs/interface.md).

By hand and not by a serializer: a thousand of them in a call are the hottest path there is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrations.altegio.wire import parse_id
from integrations.messaging.models import SmsStatus
from integrations.messaging.status_addresses import InvalidStatusAddressError, Target, default_target, read_target
from partner_portal.core.clean import read_number
from partner_portal.core.english import english as _

MAX_ITEMS = 1000
MAX_PARTS = 32_767
PRICED = frozenset({SmsStatus.DELIVERED, SmsStatus.HANDED_OVER})
FIELDS = frozenset(
    {"id", "status", "payment_sum", "currency_iso", "parts_amount", "delivery_callback_url", "salon_id"}
)
_STATUSES = frozenset(int(status) for status in SmsStatus)
MAX_SUM = Decimal(10**12)
# The column's digits; what is finer is the rest of a float's arithmetic.
FINEST = Decimal("0.000001")
_CURRENCY = re.compile(r"[A-Z]{3}")
Problems = dict[str, list[str]]
Warnings = list[dict[str, str]]


class InvalidStatusesError(ValueError):
    """Statuses that cannot be taken; `problems` holds the reasons by the items' indexes."""

    def __init__(self, problems: Mapping[str, Problems | list[str]]) -> None:
        super().__init__("These statuses cannot be taken.")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ReportedStatus:
    """One status that may be stored."""

    message_id: str
    id_is_number: bool
    status: int
    payment_sum: Decimal | None
    currency_iso: str
    parts_amount: int | None
    target: Target
    salon_id: int | None


def read_statuses(items: object) -> tuple[list[ReportedStatus], Warnings]:
    """The statuses in a request's body, and what was left out of them.

    Raises InvalidStatusesError naming every wrong item.

    What only decorates a status is left out where it cannot be read: no status is lost for it.
    """
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise InvalidStatusesError({"non_field_errors": [_("Send a list of 1 to 1000 statuses.")]})
    targets: dict[str, Target] = {}
    default, found, problems = default_target(), [], {}
    warnings: Warnings = []
    for index, item in enumerate(items):
        reader = _Reader(item, default, targets)
        status = reader.read()
        if status is None:
            problems[str(index)] = reader.problems
        else:
            found.append(status)
            warnings += ({"field": f"{index}.{name}", "message": why} for name, why in reader.left_out.items())
    if problems:
        raise InvalidStatusesError(problems)
    return found, warnings


class _Reader:
    """Reads one item; what is wrong with it is in `problems`, what it can do without in `left_out`."""

    def __init__(self, item: Any, default: Target, targets: dict[str, Target]) -> None:
        self.item = item
        self.default = default
        self.targets = targets
        self.problems: Problems = {}
        self.left_out: dict[str, str] = {}

    def read(self) -> ReportedStatus | None:
        item = self.item
        if not isinstance(item, dict):
            self._wrong("item", _("Write an object."))
            return None
        for name in item.keys() - FIELDS:
            self._leave_out(name[:100], _("There is no such field."))
        message_id, status = self._id(), self._status()
        needed = status in PRICED
        price, currency, parts = self._sum(needed), self._currency(needed), self._parts(needed)
        target, salon_id = self._target(), self._salon_id()
        if self.problems:
            return None
        return ReportedStatus(
            message_id, isinstance(item["id"], int), status, price, currency, parts, target, salon_id
        )

    def _wrong(self, name: str, why: str) -> None:
        self.problems[name] = [why]

    def _leave_out(self, name: str, why: str) -> None:
        self.left_out[name] = f"Left out. {why}"

    def _unreadable(self, name: str, why: str, *, needed: bool) -> None:
        (self._wrong if needed else self._leave_out)(name, why)

    def _id(self) -> str:
        value = self.item.get("id")
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if not text.strip() or len(text) > 100 or not text.isprintable():
            self._wrong("id", _("Write the message's id: 1 to 100 characters."))
        return text

    def _status(self) -> int:
        value = self.item.get("status")
        if isinstance(value, int) and not isinstance(value, bool) and value in _STATUSES:
            return value
        self._wrong("status", _("Write one of 1, 2, 4, 8, 16, 52."))
        return 0

    def _missing(self, name: str, *, needed: bool) -> bool:
        """Whether there is no value; Altegio always wants one with statuses 1 and 8."""
        if self.item.get(name) not in (None, ""):
            return False
        if needed:
            self._wrong(name, _("Needed with the statuses 1 and 8; a free message has the sum 0."))
        return True

    def _sum(self, needed: bool) -> Decimal | None:
        if self._missing("payment_sum", needed=needed):
            return None
        value = self.item["payment_sum"]
        number = read_number(value) if isinstance(value, str) else value
        if not isinstance(number, int | Decimal) or isinstance(number, bool) or not 0 <= number < MAX_SUM:
            why = _("Write a sum of 0 or more, like 0.05; it is rounded to 6 decimals.")
            self._unreadable("payment_sum", why, needed=needed)
            return None
        return Decimal(number).copy_abs().quantize(FINEST)

    def _currency(self, needed: bool) -> str:
        if self._missing("currency_iso", needed=needed):
            return ""
        value = self.item["currency_iso"]
        if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
            self._unreadable("currency_iso", _("Write an ISO 4217 code, like EUR."), needed=needed)
            return ""
        return value

    def _parts(self, needed: bool) -> int | None:
        if self._missing("parts_amount", needed=needed):
            return None
        value = self.item["parts_amount"]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_PARTS:
            self._unreadable("parts_amount", _("Write a whole number of 0 or more."), needed=needed)
            return None
        return value

    def _target(self) -> Target:
        url = self.item.get("delivery_callback_url")
        if url in (None, ""):
            return self.default
        try:
            if not isinstance(url, str):
                return read_target(url)
            if url not in self.targets:
                self.targets[url] = read_target(url)
            return self.targets[url]
        except InvalidStatusAddressError as why:
            self._wrong("delivery_callback_url", str(why))
            return self.default

    def _salon_id(self) -> int | None:
        value = self.item.get("salon_id")
        salon_id = None if value is None else parse_id(value)
        if value is not None and salon_id is None:
            self._leave_out("salon_id", _("Write a number of 1 to 18 digits."))
        return salon_id
