"""URLs of the owner's sender name pages."""

from django.urls import path

from integrations.sender_names import owners

app_name = "sender_names"
urlpatterns = [
    path("", owners.names, name="list"),
    path("<int:connection_id>/", owners.ask, name="ask"),
]
