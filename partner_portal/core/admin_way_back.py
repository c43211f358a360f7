"""Whoever acts from the page of one row comes back to that page, not to the list of its kind."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

# The hidden field of the buttons on a row's page, and of the page that asks once.
BACK = "back"


def way_back(request: HttpRequest) -> str:
    """The page of ours on which the action was chosen; "" where that was the list itself."""
    page = request.POST.get(BACK, "")
    is_ours = page.startswith("/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return page if is_ours else ""


class ComesBack(admin.ModelAdmin[Any]):
    """An admin whose actions end where they were chosen."""

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        response = super().response_action(request, queryset, *args, **kwargs)
        page = way_back(request)
        if page and isinstance(response, HttpResponseRedirect) and response.url == request.get_full_path():
            return HttpResponseRedirect(page)
        return response
