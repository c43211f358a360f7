"""Other origins that a page's forms may lead to: browsers apply the page's `form-action` to redirects as well."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

View = Callable[[HttpRequest], HttpResponseBase]


def allow_forms_to(request: HttpRequest, origin: str) -> None:
    """Allow forms on the page that answers `request` to lead to `origin`."""
    targets: set[str] = getattr(request, "form_targets", set())
    request.form_targets = targets | {origin}  # type: ignore[attr-defined]


def form_targets(get_response: View) -> View:
    """Add the origins of `allow_forms_to` to `form-action` (middleware, which runs inside the CSP middleware)."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if targets := getattr(request, "form_targets", None):
            response._csp_update = {"form-action": sorted(targets)}  # type: ignore[attr-defined]  # noqa: SLF001
        return response

    return middleware
