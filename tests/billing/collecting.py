"""The callback by which Altegio reports a payment that it has collected itself (docs/altegio.md)."""

from .conftest import SALON

COLLECTED = {
    "salon_id": SALON,
    "application_id": 1,
    "event": "payment",
    "payment_id": 5001,
    "amount": "29.90",
    "currency_iso": "EUR",
    "discount": "10",
    "period_from": "2026-01-01 00:00:00",
    "period_to": "2026-01-31 23:59:59",
    "payment_date": "2026-01-01 11:00:00",
    "tariff_option_id": 1,
}
