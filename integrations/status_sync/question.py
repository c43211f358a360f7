"""The status call about an application at a location: one place, because its answer holds the API key."""

from integrations.altegio import requests
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Application, Installation, Location


def status_question(application: Application, location: Location) -> ApiRequest:
    """Ask what Altegio holds to be true; the keys that its answer may repeat are masked on record."""
    keys = Installation.objects.filter(application=application, location=location).first()
    return requests.status(
        location.altegio_id, application.altegio_id, secrets=(keys.api_key, keys.events_key) if keys else ()
    )
