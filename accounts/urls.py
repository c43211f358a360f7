"""The owner's own addresses."""

from django.contrib.auth import views as auth
from django.urls import path, reverse_lazy

from accounts import views
from accounts.reset import OwnerResetForm

app_name = "accounts"
urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", auth.LogoutView.as_view(), name="sign-out"),
    path(
        "reset/",
        auth.PasswordResetView.as_view(
            template_name="accounts/reset.html",
            form_class=OwnerResetForm,
            success_url=reverse_lazy("accounts:reset-sent"),
        ),
        name="reset",
    ),
    path(
        "reset/sent/",
        auth.PasswordResetDoneView.as_view(template_name="accounts/reset_sent.html"),
        name="reset-sent",
    ),
    path(
        "reset/<uidb64>/<token>/",
        auth.PasswordResetConfirmView.as_view(
            template_name="accounts/reset_confirm.html", success_url=reverse_lazy("accounts:sign-in")
        ),
        name="reset-confirm",
    ),
]
