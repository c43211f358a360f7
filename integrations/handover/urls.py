"""URLs of the hand-over among the owner's pages."""

from django.urls import path

from integrations.handover import views

app_name = "handover"
urlpatterns = [path("open/<int:pk>/", views.open_cabinet, name="open")]
