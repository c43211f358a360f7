"""URLs of the owner's telephony pages."""

from django.urls import path

from integrations.telephony import owners

app_name = "telephony"
urlpatterns = [
    path("", owners.chains, name="list"),
    path("<int:chain_id>/again/", owners.again, name="again"),
]
