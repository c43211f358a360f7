"""The URLs that Altegio calls (docs/interface.md)."""

from django.urls import path

from integrations.lifecycle.callback_endpoint import receive_callback
from integrations.messaging.message_endpoint import receive_messages
from integrations.webhooks.endpoint import receive_event

urlpatterns = [
    path("callback/", receive_callback),
    path("events/<str:key>/", receive_event),
    path("messages/", receive_messages),
]
