"""The project: settings, addresses, Celery, health. No rules live here."""

from partner_portal.celery import app as celery_app

__all__ = ["celery_app"]
