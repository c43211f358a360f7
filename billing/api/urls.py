"""URLs of billing below `/api/v1/`."""

from django.urls import path

from billing.api import payments

urlpatterns = [
    path("payments/", payments.PaymentList.as_view()),
    path("payments/<int:pk>/", payments.PaymentDetail.as_view()),
    path("payments/<int:pk>/retry/", payments.PaymentRetry.as_view()),
    path("payments/<int:pk>/refund/", payments.PaymentRefund.as_view()),
]
