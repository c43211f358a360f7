"""Billing's part of the owner's pages."""

from django.urls import path

from billing import views

app_name = "billing"
urlpatterns = [
    path("link/<int:connection_id>/<int:option_id>/", views.payment_link, name="payment-link"),
]
