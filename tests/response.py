"""The types of the test client's answers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response
else:
    from django.http import HttpResponse as Response

# A call of a part of the portal's API, as one of the partner's own systems.
Api = Callable[..., Response]

__all__ = ["Api", "Response"]
