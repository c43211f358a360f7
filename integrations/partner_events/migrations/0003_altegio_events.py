"""Entity events become events of the type `altegio.events`: the address of each application becomes a webhook."""

from datetime import datetime
from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models

from integrations.partner_events.sending import fresh_secret


def take_addresses_over(apps: Apps, _schema_editor: Any) -> None:
    """Make a webhook of each application's address for events, with the secret that it signs with."""
    applications = apps.get_model("connections", "Application")._default_manager
    endpoints = apps.get_model("partner_events", "WebhookEndpoint")._default_manager
    moved = applications.exclude(events_url="").values_list("pk", "events_url", "events_rest_until")
    endpoints.bulk_create(
        endpoints.model(**_webhook(key, url, _secret_of(applications, key), rests)) for key, url, rests in moved
    )


def _secret_of(applications: Any, key: int) -> str:
    """The application's secret; a new one where it had none, or one that no key of the portal reads any more."""
    try:
        secret: str = applications.values_list("events_secret", flat=True).get(pk=key)
    except ValueError:
        return fresh_secret()
    return secret or fresh_secret()


def _webhook(application: int, url: str, secret: str, rests_until: datetime | None) -> dict[str, Any]:
    return {
        "application_id": application,
        "url": url,
        "types": ["altegio.events"],
        "secret": secret,
        "rests_until": rests_until,
        "description": "Entity events",
    }


TYPES = [
    "connection.activated",
    "connection.frozen",
    "connection.unfrozen",
    "connection.uninstalled",
    "connection.expired",
    "connection.failed",
    "connection.conflict",
    "connection.changed",
    "payment.reported",
    "payment.failed",
    "payment.refunded",
    "payment.collected",
    "sender_names.synced",
    "sender_names.failed",
    "message.requested",
    "altegio.events",
    "webhook.test",
]


class Migration(migrations.Migration):
    dependencies = [("connections", "0001_initial"), ("partner_events", "0002_connection_changed")]

    operations = [
        migrations.AlterField(
            "partnerevent",
            "type",
            models.CharField("type", max_length=40, choices=[(name, name) for name in TYPES]),
        ),
        migrations.RunPython(take_addresses_over, migrations.RunPython.noop),
    ]
