"""The hand-over's pages among the owner's."""

from django.urls import path

from integrations.handover import views

app_name = "handover"
urlpatterns = [path("open/<int:pk>/", views.open_cabinet, name="open")]
