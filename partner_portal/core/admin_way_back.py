"""Redirects to the page from which an action was run or a form opened, instead of to the list."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

# The hidden field of the buttons on a row's page and of the confirmation page; the parameter of links to forms.
BACK = "back"


def way_back(request: HttpRequest) -> str:
    """Return the path of the portal's page from which the user came to act; "" if it was the list itself."""
    page = request.POST.get(BACK) or request.GET.get(BACK, "")
    is_ours = page.startswith("/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return page if is_ours else ""


class ComesBack(admin.ModelAdmin[Any]):
    """An admin whose actions and forms lead back to the page that the user came from."""

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        response = super().response_action(request, queryset, *args, **kwargs)
        page = way_back(request)
        if page and isinstance(response, HttpResponseRedirect) and response.url == request.get_full_path():
            return HttpResponseRedirect(page)
        return response

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        page = way_back(request)
        return HttpResponseRedirect(page) if page else super().response_post_save_add(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        page = way_back(request)
        return HttpResponseRedirect(page) if page else super().response_post_save_change(request, obj)
