"""The lifecycle's pages among the owner's."""

from django.urls import path

from integrations.lifecycle import leaving, views

app_name = "lifecycle"
urlpatterns = [
    path("connections/<int:pk>/disconnect/", views.disconnect_page, name="disconnect"),
    path("me/erase/", leaving.erase, name="erase"),
    path("me/erase/letter/", leaving.send_letter, name="erase-letter"),
    path("erase/<str:token>/", leaving.confirm, name="erase-confirm"),
]
