"""The request of the status call. It is built here alone, because its answer holds API keys that must be masked."""

from integrations.altegio import requests
from integrations.altegio.requests import ApiRequest
from integrations.connections.models import Application, Installation, Location


def status_question(application: Application, location: Location) -> ApiRequest:
    """Return the request for an application's status at a location; the keys in its answer are masked on record."""
    keys = Installation.objects.filter(application=application, location=location).first()
    return requests.status(
        location.altegio_id, application.altegio_id, secrets=(keys.api_key, keys.events_key) if keys else ()
    )
