"""Framing rules: only pages that allow it may stand in an iframe, and only in Altegio's."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt

View = Callable[..., HttpResponseBase]


def framed(view: View) -> View:
    """Allow a view's page to stand in Altegio's iframe, but in no other; it is never cached."""

    @never_cache
    @xframe_options_exempt
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        policed = csp_replace({"frame-ancestors": settings.ALTEGIO_FRAME_ANCESTORS})(view)
        return policed(request, *args, **kwargs)

    return wrapper


def is_in_frame(request: HttpRequest) -> bool:
    """Return whether the browser reports that it loads this page into an iframe."""
    return request.headers.get("Sec-Fetch-Dest") == "iframe"


def altegio_origin() -> str:
    """Return the origin of Altegio's own pages, which get a framed page's messages if the host page is unknown."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(settings.ALTEGIO_APP_URL))


def host_origins() -> str:
    """Return the origins that a framed page exchanges messages with, those that may frame it, separated by spaces.

    An entry such as `https://*.alteg.io` stands for any name below that domain.
    """
    return " ".join(dict.fromkeys([altegio_origin(), *settings.ALTEGIO_FRAME_ANCESTORS]))
