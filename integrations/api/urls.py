"""The marketplace's part of `/api/v1/`."""

from django.urls import path

from integrations.api import connections

urlpatterns = [
    path("connections/", connections.ConnectionList.as_view()),
    path("connections/<int:pk>/", connections.ConnectionDetail.as_view()),
    path("connections/<int:pk>/uninstall/", connections.ConnectionUninstall.as_view()),
]
