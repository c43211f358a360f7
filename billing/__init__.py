"""Payments, refunds, subscriptions."""
