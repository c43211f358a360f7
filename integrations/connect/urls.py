"""Addresses to which an owner comes from Altegio."""

from django.urls import path, register_converter

from integrations.connect import status_views, views


class AltegioId:
    """A path converter for an id at Altegio: 1 to 18 digits."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(AltegioId, "altegio_id")

app_name = "connect"
urlpatterns = [
    path("", views.arrive, name="arrive"),
    path("<altegio_id:application_id>/", views.arrive, name="arrive-at"),
    path("status/<str:token>/", status_views.status, name="status"),
    path("status/<str:token>/sign-in/", status_views.status_sign_in, name="status-sign-in"),
    path("status/<str:token>/link/", status_views.status_link, name="status-link"),
    path("step/<str:token>/", views.step, name="step"),
    path("step/<str:token>/sign-up/", views.sign_up, name="sign-up"),
    path("step/<str:token>/sign-in/", views.sign_in, name="sign-in"),
    path("step/<str:token>/link/", views.send_link, name="send-link"),
    path("step/<str:token>/continue/", views.go_on, name="continue"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
]
