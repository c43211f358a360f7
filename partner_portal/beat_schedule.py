"""The Celery beat schedule: which tasks beat starts, and how often (in seconds, or at a time of day).

A lost message loses no work: the next run finds the waiting rows in the database. A message that no worker has taken
within `expires` seconds is dropped, because the next one does the same.
"""

from typing import Any

from celery.schedules import crontab

CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {"task": "integrations.outbox.tasks.sweep", "schedule": 1.0, "options": {"expires": 10}},
    "callbacks": {
        "task": "integrations.lifecycle.tasks.process_callbacks",
        "schedule": 1.0,
        "options": {"expires": 10},
    },
    "events": {"task": "integrations.webhooks.tasks.fan_out", "schedule": 1.0, "options": {"expires": 10}},
    "partner_events": {
        "task": "integrations.partner_events.tasks.fan_out",
        "schedule": 1.0,
        "options": {"expires": 10},
    },
    "webhooks": {"task": "integrations.partner_events.tasks.deliver", "schedule": 1.0, "options": {"expires": 10}},
    "deliveries": {"task": "integrations.webhooks.tasks.deliver", "schedule": 5.0, "options": {"expires": 15}},
    "notifications": {"task": "accounts.tasks.send_digests", "schedule": 5.0, "options": {"expires": 5}},
    "alerts": {"task": "integrations.alerts.tasks.alert", "schedule": 10.0, "options": {"expires": 10}},
    "announcements": {
        "task": "integrations.alerts.tasks.announce",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "heartbeat": {"task": "integrations.backoffice.tasks.heartbeat", "schedule": 10.0, "options": {"expires": 10}},
    "emails": {"task": "accounts.tasks.send_emails", "schedule": 15.0, "options": {"expires": 15}},
    "messages": {
        "task": "integrations.messaging.tasks.place_messages",
        "schedule": 1.0,
        "options": {"expires": 10},
    },
    "statuses": {
        "task": "integrations.messaging.tasks.follow_statuses",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "kept phone calls": {
        "task": "integrations.telephony.tasks.settle_kept_calls",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "watch": {"task": "partner_portal.core.tasks.watch", "schedule": 60.0, "options": {"expires": 60}},
    "alert_causes": {"task": "integrations.alerts.tasks.follow_causes", "schedule": 60.0, "options": {"expires": 60}},
    "delivery_alerts": {
        "task": "integrations.webhooks.tasks.clear_alerts",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "sender_names": {
        "task": "integrations.sender_names.tasks.withdraw_expired",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "recheck": {"task": "integrations.reconciliation.tasks.recheck", "schedule": 180.0, "options": {"expires": 180}},
    "days": {"task": "integrations.backoffice.tasks.sum_days", "schedule": 600.0, "options": {"expires": 600}},
    "periods": {"task": "billing.tasks.watch_periods", "schedule": 60.0, "options": {"expires": 60}},
    "figures": {"task": "billing.tasks.count_figures", "schedule": 600.0, "options": {"expires": 600}},
    "subscriptions": {"task": "billing.tasks.watch_subscriptions", "schedule": 3600.0, "options": {"expires": 3600}},
    "location_profiles": {
        "task": "integrations.location_profiles.tasks.refresh",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "reconciliation": {"task": "integrations.reconciliation.tasks.reconcile", "schedule": crontab(hour=3, minute=41)},
    "retention": {"task": "partner_portal.core.tasks.delete_what_is_old", "schedule": crontab(minute=23)},
}
