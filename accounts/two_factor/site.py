"""The admin site: the second factor stands between the password and every page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

# The name of the decision on a request.
DECIDED = "may_enter_control_room"


class StaffSite(admin.AdminSite):
    """Django's admin, with the page for the second factor."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, with the second factor where it is asked for; decided once for a request."""
        from accounts.two_factor.rules import has_password_sign_in, lacks_factor

        decided: bool | None = getattr(request, DECIDED, None)
        if decided is None:
            decided = has_password_sign_in(request) and not lacks_factor(request)
            setattr(request, DECIDED, decided)
        return decided

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path("two-factor/", never_cache(self.two_factor), name="two-factor"),
            path("two-factor/link/<str:token>/", never_cache(self.two_factor_link), name="two-factor-link"),
        ]
        return [*own, *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The password; whoever has given it goes on to the second factor."""
        from accounts.two_factor.rules import has_password_sign_in, lacks_factor

        if request.method == "GET" and has_password_sign_in(request) and lacks_factor(request):
            return redirect(f"{reverse('admin:two-factor')}?{urlencode({'next': request.GET.get('next', '')})}")
        return super().login(request, extra_context)

    def two_factor(self, request: HttpRequest) -> HttpResponse:
        """Show the factor, set it up or change it."""
        from accounts.two_factor.views import two_factor

        return two_factor(request, self.each_context(request))

    def two_factor_link(self, request: HttpRequest, token: str) -> HttpResponse:
        """The letter's link to the set-up."""
        from accounts.two_factor.views import link

        return link(request, self.each_context(request), token)
