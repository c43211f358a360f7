"""The lifecycle's pages among the owner's."""

from django.urls import path

from integrations.lifecycle import views

app_name = "lifecycle"
urlpatterns = [path("connections/<int:pk>/disconnect/", views.disconnect_page, name="disconnect")]
