"""The owner's addresses about sender names."""

from django.urls import path

from integrations.sender_names import owners

app_name = "sender_names"
urlpatterns = [
    path("", owners.names, name="list"),
    path("<int:connection_id>/", owners.ask, name="ask"),
]
