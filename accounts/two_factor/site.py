"""The admin site, where the second factor stands between the password and every page.

Django builds the site before the models are loaded, so what needs models is imported in the methods.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import unquote

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from partner_portal.core.admin_sections import by_section

View = TypeVar("View", bound=Callable[..., Any])
# The attribute of a request that keeps the decision on it.
DECIDED = "may_enter_control_room"


class StaffSite(admin.AdminSite):
    """Django's admin site, with the page for the second factor."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether the user is staff, with the second factor where required; decided once for a request."""
        from accounts.two_factor.rules import has_password_sign_in, needs_second_factor

        decided: bool | None = getattr(request, DECIDED, None)
        if decided is None:
            decided = has_password_sign_in(request) and not needs_second_factor(request)
            setattr(request, DECIDED, decided)
        return decided

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Refuse queries and forms with a NUL before any page: pages pass them to the database as they stand."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def clean_view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if "\x00" in unquote(request.META.get("QUERY_STRING", "")):
                raise BadRequest("There is a NUL in the query.")
            if any("\x00" in value for _name, values in request.POST.lists() for value in values):
                raise BadRequest("There is a NUL in the form.")
            return inner(request, *args, **kwargs)

        return cast("View", clean_view)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path("two-factor/", never_cache(self.two_factor), name="two-factor"),
            path("two-factor/link/<str:token>/", never_cache(self.two_factor_link), name="two-factor-link"),
        ]
        return [*own, *super().get_urls()]

    def _build_app_dict(self, request: HttpRequest, label: Any = None) -> dict[str, Any]:
        """Translate each name once: a lazy one would be translated in every comparison when Django sorts them."""
        found: dict[str, Any] = super()._build_app_dict(request, label)
        for model in (model for app in found.values() for model in app["models"]):
            model["name"] = str(model["name"])
        return found

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Return the menu by what staff want to do; for the page of one app, Django's own."""
        apps: list[dict[str, Any]] = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        return by_section(apps, {model: cast("Any", room).menu for model, room in self._registry.items()})

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Answer 404: no field here completes what is typed, and Django's view fails for names that are no field."""
        raise Http404

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the password form; whoever has given the password goes on to the second factor."""
        from accounts.limits import STAFF_SIGN_INS
        from accounts.pages import too_many
        from accounts.two_factor.rules import has_password_sign_in, needs_second_factor

        if request.method == "POST" and (wait := STAFF_SIGN_INS.hit(request)):
            return too_many(request, wait)
        if request.method == "GET" and has_password_sign_in(request) and needs_second_factor(request):
            return redirect(f"{reverse('admin:two-factor')}?{urlencode({'next': request.GET.get('next', '')})}")
        return super().login(request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Change one's own password; the form asks for the present one."""
        from accounts.two_factor.password_change import change_password

        return change_password(request, {**self.each_context(request), **(extra_context or {})})

    def two_factor(self, request: HttpRequest) -> HttpResponse:
        """Show the factor, set it up or change it."""
        from accounts.two_factor.views import two_factor

        return two_factor(request, self.each_context(request))

    def two_factor_link(self, request: HttpRequest, token: str) -> HttpResponse:
        """Open the e-mail's link to the set-up."""
        from accounts.two_factor.views import link

        return link(request, self.each_context(request), token)
