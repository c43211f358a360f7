"""Where a page's forms may end besides the portal: browsers hold a form's redirects to the policy of its page too."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

View = Callable[[HttpRequest], HttpResponseBase]


def allow_forms_to(request: HttpRequest, origin: str) -> None:
    """Let the page that `request` asks for send its forms to `origin`."""
    targets: set[str] = getattr(request, "form_targets", set())
    request.form_targets = targets | {origin}  # type: ignore[attr-defined]


def form_targets(get_response: View) -> View:
    """Middleware, inside that of the policy: `form-action` names what `allow_forms_to` was told."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if targets := getattr(request, "form_targets", None):
            response._csp_update = {"form-action": sorted(targets)}  # type: ignore[attr-defined]  # noqa: SLF001
        return response

    return middleware
