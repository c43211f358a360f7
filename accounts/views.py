"""The owner's sign-in and first page."""

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import limits
from accounts.models import User
from accounts.pages import notice_of, owner_page, register_page, show, too_many
from accounts.sections import sections_of
from accounts.sign_in import CANNOT_SIGN_IN


class OwnerSignInForm(AuthenticationForm):
    """A sign-in form that does not know staff: they have their own sign-in, with its own rules."""

    error_messages = AuthenticationForm.error_messages | {"invalid_login": CANNOT_SIGN_IN}

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if user.is_staff:
            raise self.get_invalid_login_error()


class SignIn(LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = OwnerSignInForm
    redirect_authenticated_user = False

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        return self.render_to_response(self.get_context_data(notice=notice_of(request)))

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if wait := limits.SIGN_INS.hit(request):
            return too_many(request, wait)
        return super().post(request, *args, **kwargs)


@owner_page
def home(request: HttpRequest, owner: User) -> HttpResponse:
    """Show the first page with the sections of the features, the owner's locations above all."""
    return show(
        request, owner, "accounts:home", "accounts/home.html", {"sections": sections_of("home", request, owner)}
    )


register_page(10, "accounts:home", _("Locations"))
