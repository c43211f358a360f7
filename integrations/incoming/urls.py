"""The addresses that Altegio calls (docs/interface.md)."""

from django.urls import path

from integrations.events.receiving import receive_event
from integrations.lifecycle.receiving import receive_callback

urlpatterns = [
    path("callback/", receive_callback),
    path("events/<str:key>/", receive_event),
]
