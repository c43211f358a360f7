"""The project package: settings, URLs and the Celery application. It holds no business rules."""

from partner_portal.celery import app as celery_app

__all__ = ["celery_app"]
