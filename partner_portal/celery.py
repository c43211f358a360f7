"""The Celery application: it carries work whose truth stands in the database."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_portal.settings")

app = Celery("partner_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["partner_portal"], related_name="health")
app.autodiscover_tasks(["partner_portal"], related_name="retention")


@setup_logging.connect
def leave_the_logs_as_they_are(**_: Any) -> None:
    """Django has set the logs up already; without a listener Celery would raise the level to WARNING."""
