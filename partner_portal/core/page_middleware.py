"""Middleware that only pages need: an API call has no session, no signed-in user and no messages.

API calls skip it, which saves a sixth of the time of a short call (`python -m bench web`). Middleware that protects
every response is not wrapped here; the settings name it directly.
"""

from typing import TYPE_CHECKING, Any

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django_otp.middleware import OTPMiddleware

if TYPE_CHECKING:
    from django.http import HttpRequest

API = "/api/v1/"
# The API's documentation is a page, not a call.
DOCS = f"{API}docs/"
# JSON needs no resources and no frame, even if a browser is made to show it.
POLICY_OF_CALLS = "default-src 'none'; frame-ancestors 'none'"


def is_call(request: "HttpRequest") -> bool:
    """Return whether the request is an API call by a program, not a browser's request for a page."""
    return request.path_info.startswith(API) and not request.path_info.startswith(DOCS)


class _ForPages:
    """A mixin for a middleware class that makes API calls skip it."""

    get_response: Any

    def __call__(self, request: "HttpRequest") -> Any:
        if is_call(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class Sessions(_ForPages, SessionMiddleware):
    """Django's session middleware, for pages only."""


class Authentication(_ForPages, AuthenticationMiddleware):
    """Django's authentication middleware, for pages only."""


class SecondFactor(_ForPages, OTPMiddleware):  # type: ignore[misc]
    """The middleware of django-otp, for pages only."""


class Messages(_ForPages, MessageMiddleware):
    """Django's message middleware, for pages only."""


class ContentPolicy(CSPMiddleware):
    """The middleware of django-csp for pages; all API calls get the same fixed policy."""

    def __call__(self, request: "HttpRequest") -> Any:
        if not is_call(request):
            return super().__call__(request)
        response: Any = self.get_response(request)
        response["Content-Security-Policy"] = POLICY_OF_CALLS
        return response
