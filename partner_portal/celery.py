"""The Celery application: it carries work whose truth stands in the database."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu.transport.virtual import QoS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_portal.settings")

# A worker that loses its broker does not try to put the messages in hand back: the sweep finds their work.
QoS.restore_at_shutdown = False

app = Celery("partner_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def leave_the_logs_as_they_are(**_: Any) -> None:
    """Django has set the logs up already; without a listener Celery would raise the level to WARNING."""
