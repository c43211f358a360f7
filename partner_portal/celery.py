"""The Celery application. The state of all its work is in the database, not in messages."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu.transport.virtual import QoS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_portal.settings")

# A worker that loses its broker does not return its unfinished messages: the sweep finds their work.
QoS.restore_at_shutdown = False

app = Celery("partner_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def leave_the_logs_as_they_are(**_: Any) -> None:
    """Keep the log configuration of Django; without a listener Celery would raise the level to WARNING."""
