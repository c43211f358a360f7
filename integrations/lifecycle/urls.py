"""Addresses of the lifecycle's pages for owners."""

from django.urls import path

from integrations.lifecycle import account_deletion, views

app_name = "lifecycle"
urlpatterns = [
    path("connections/<int:pk>/disconnect/", views.disconnect_page, name="disconnect"),
    path("me/erase/", account_deletion.erase, name="erase"),
    path("me/erase/email/", account_deletion.send_email, name="erase-email"),
    path("erase/<str:token>/", account_deletion.confirm, name="erase-confirm"),
]
