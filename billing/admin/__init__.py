"""Admin screens of billing."""

from billing.admin import offers, payments, subscriptions  # noqa: F401
