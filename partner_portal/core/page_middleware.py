"""Middleware that pages alone need: a call of the API has no session, nobody who is signed in, no messages.

A call goes past it, which saves a sixth of the time of a short one (`python -m bench web`). What guards every answer
stands in the settings as Django has it.
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
# The readable page of the API is a page.
DOCS = f"{API}docs/"
# JSON loads nothing and stands in no frame, also where a browser is made to show it.
POLICY_OF_CALLS = "default-src 'none'; frame-ancestors 'none'"


def is_call(request: "HttpRequest") -> bool:
    """Return whether a program calls the API, and no browser asks for a page."""
    return request.path_info.startswith(API) and not request.path_info.startswith(DOCS)


class _ForPages:
    """Beside the class of a middleware: calls of the API go past it."""

    get_response: Any

    def __call__(self, request: "HttpRequest") -> Any:
        if is_call(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class Sessions(_ForPages, SessionMiddleware):
    """Django's, for pages."""


class Authentication(_ForPages, AuthenticationMiddleware):
    """Django's, for pages."""


class SecondFactor(_ForPages, OTPMiddleware):  # type: ignore[misc]
    """That of django-otp, for pages."""


class Messages(_ForPages, MessageMiddleware):
    """Django's, for pages."""


class ContentPolicy(CSPMiddleware):
    """That of django-csp; calls of the API have a policy that is the same for all."""

    def __call__(self, request: "HttpRequest") -> Any:
        if not is_call(request):
            return super().__call__(request)
        response: Any = self.get_response(request)
        response["Content-Security-Policy"] = POLICY_OF_CALLS
        return response
