"""What may stand in Altegio's iframe: only pages that say so, and in nobody else's."""

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
    """The page may stand in Altegio's iframe, and nowhere else; it is never cached."""

    @never_cache
    @xframe_options_exempt
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        policed = csp_replace({"frame-ancestors": settings.ALTEGIO_FRAME_ANCESTORS})(view)
        return policed(request, *args, **kwargs)

    return wrapper


def is_in_frame(request: HttpRequest) -> bool:
    """Return whether the browser says that it draws this page inside another one."""
    return request.headers.get("Sec-Fetch-Dest") == "iframe"


def altegio_origin() -> str:
    """The origin of Altegio's own pages: who is told of what happens when the browser does not name the host."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(settings.ALTEGIO_APP_URL))


def host_origins() -> str:
    """With whom a framed page exchanges messages: who may frame it, and `https://*.alteg.io` is any name there."""
    return " ".join(dict.fromkeys([altegio_origin(), *settings.ALTEGIO_FRAME_ANCESTORS]))
