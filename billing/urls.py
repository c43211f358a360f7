"""URLs of billing's pages for owners."""

from django.urls import path

from billing import views

app_name = "billing"
urlpatterns = [
    path("", views.subscription_list, name="subscriptions"),
    path("payments/", views.payment_list, name="payments"),
    path("link/<int:connection_id>/<int:option_id>/", views.payment_link, name="payment-link"),
]
