"""The owner's pages: sign-in, and what is theirs."""

from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string

from accounts import limits
from accounts.models import User
from accounts.sections import sections_for


class SignInForm(AuthenticationForm):
    """Staff have their own door, with its own rules: here they are unknown."""

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if user.is_staff:
            raise self.get_invalid_login_error()


class SignIn(LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = False

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if wait := limits.SIGN_INS.hit(request):
            response = render(request, "accounts/too_many.html", status=429)
            response["Retry-After"] = str(wait)
            return response
        return super().post(request, *args, **kwargs)


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Everything that is the owner's; staff are sent to theirs."""
    user = request.user
    if not isinstance(user, User) or user.is_staff:
        return redirect("admin:index")
    sections = [render_to_string(template, context, request) for template, context in sections_for(user)]
    return render(request, "accounts/home.html", {"sections": sections})
