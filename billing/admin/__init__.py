"""Billing in the control room."""

from billing.admin import offers, payments, subscriptions  # noqa: F401
