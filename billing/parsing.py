"""Parsing of a reported payment: one parser for the API, the admin and imported files."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.conf import settings

from billing.money import CURRENCIES, InvalidMoneyError, read_amount
from integrations.altegio.wire import parse_id
from partner_portal.core.datetimes import FIRST_YEAR, InvalidDatetimeError, read_moment
from partner_portal.core.external_ids import read_external_id

NEVER = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)


class InvalidPaymentError(Exception):
    """Raised when the reported data is invalid: `errors` gives the reasons for each field."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items()))
        self.errors = errors


@dataclass(frozen=True)
class PaymentData:
    """The content of a payment as reported, parsed and valid. Moments are in UTC, to the second."""

    external_id: str | None
    salon_id: int
    application_id: int
    amount: Decimal
    currency: str
    paid_at: datetime
    period_from: datetime
    period_to: datetime

    @property
    def digest(self) -> str:
        """A hash of the content: equal for the same location, money and instants, however they were written."""
        parts = [
            self.salon_id,
            self.application_id,
            self.amount.normalize(),
            self.currency,
            *(moment.isoformat() for moment in (self.paid_at, self.period_from, self.period_to)),
        ]
        return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def read_payment(raw: Mapping[str, object], *, needs_external_id: bool = True) -> PaymentData:
    """Parse the fields named in docs/interface.md. Raises InvalidPaymentError with every field that is wrong."""
    reader = _Reader(raw)
    currency = reader.currency()
    data = PaymentData(
        external_id=reader.external_id(required=needs_external_id),
        salon_id=reader.number("salon_id"),
        application_id=reader.application_id(),
        amount=reader.amount(currency),
        currency=currency,
        paid_at=reader.moment("paid_at"),
        period_from=reader.moment("period_from"),
        period_to=reader.moment("period_to"),
    )
    if not {"period_from", "period_to"} & reader.errors.keys() and data.period_to < data.period_from:
        reader.wrong("period_to", "The period ends before it begins.")
    if reader.errors:
        raise InvalidPaymentError(reader.errors)
    return data


class _Reader:
    """A parser that goes field by field and collects the errors; a wrong field gives a harmless stand-in."""

    def __init__(self, raw: Mapping[str, object]) -> None:
        self.raw = raw
        self.errors: dict[str, list[str]] = {}

    def wrong(self, name: str, why: str) -> None:
        self.errors.setdefault(name, []).append(why)

    def _given(self, name: str) -> object:
        value = self.raw.get(name)
        return None if value == "" else value

    def _required(self, name: str) -> object:
        value = self._given(name)
        if value is None:
            self.wrong(name, "This field is required.")
        return value

    def external_id(self, *, required: bool) -> str | None:
        value = self._required("external_id") if required else self._given("external_id")
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        try:
            return read_external_id(value if isinstance(value, str) else "")
        except ValueError as problem:
            self.wrong("external_id", str(problem))
            return None

    def number(self, name: str) -> int:
        value = self._required(name)
        number = parse_id(value)
        if value is not None and number is None:
            self.wrong(name, "Write a number of 1 to 18 digits.")
        return number or 0

    def application_id(self) -> int:
        if self._given("application_id") is None and settings.ALTEGIO_APPLICATION_ID is not None:
            return settings.ALTEGIO_APPLICATION_ID
        return self.number("application_id")

    def currency(self) -> str:
        value = self._required("currency")
        if isinstance(value, str) and value in CURRENCIES:
            return value
        if value is not None:
            self.wrong("currency", 'Write a currency code of ISO 4217 in capital letters, for example "EUR".')
        return ""

    def amount(self, currency: str) -> Decimal:
        value = self._required("amount")
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            value = str(value)  # this is the text that was sent: no float was made of it on its way here
        if value is not None and not isinstance(value, str):
            self.wrong("amount", 'Write the amount as text, for example "990.99".')
        elif value is not None:
            try:
                # Without a known currency the digits are checked by the one with the most decimals.
                return read_amount(value, currency or "CLF")
            except InvalidMoneyError as problem:
                self.wrong("amount", str(problem))
        return Decimal(0)

    def moment(self, name: str) -> datetime:
        value = self._required(name)
        if value is None:
            return NEVER
        try:
            return read_moment(value).replace(microsecond=0)
        except InvalidDatetimeError as problem:
            self.wrong(name, str(problem))
            return NEVER
