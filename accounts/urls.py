"""URLs of the owner's own pages."""

from django.contrib.auth import views as auth
from django.urls import path

from accounts import my_data, views
from accounts.languages import choose_language
from accounts.password_reset import AskForReset, ChoosePassword

app_name = "accounts"
urlpatterns = [
    path("", views.home, name="home"),
    path("me/", my_data.me, name="me"),
    path("me/email/", my_data.email, name="email"),
    path("me/email/keep/", my_data.keep_email, name="email-keep"),
    path("me/password/", my_data.password, name="password"),
    path("me/password/email/", my_data.password_email, name="password-email"),
    path("me/sign-out-everywhere/", my_data.end_sessions, name="sign-out-everywhere"),
    path("me/altegio-users/<int:pk>/unlink/", my_data.unlink, name="unlink"),
    path("me/download/", my_data.download, name="download"),
    path("email/<str:token>/", my_data.confirm_email, name="email-confirm"),
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("language/", choose_language, name="language"),
    path("sign-out/", auth.LogoutView.as_view(), name="sign-out"),
    path(
        "reset/",
        AskForReset.as_view(),
        name="reset",
    ),
    path(
        "reset/sent/",
        auth.PasswordResetDoneView.as_view(template_name="accounts/reset_sent.html"),
        name="reset-sent",
    ),
    path(
        "reset/<uidb64>/<token>/",
        ChoosePassword.as_view(),
        name="reset-confirm",
    ),
]
