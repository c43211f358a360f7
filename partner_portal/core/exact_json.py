"""JSON as the API and the webhooks write it: a decimal from outside stands there with the digits that came."""

from typing import Any

import simplejson
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

_others = JSONEncoder()


class ExactEncoder(simplejson.JSONEncoder):
    """Writes decimals exactly, a `simplejson.RawJSON` as it is, and whatever else the framework's encoder writes.

    That one makes a float of a decimal: it loses digits, and one too large for a float cannot be written at all.
    """

    def default(self, o: Any) -> Any:
        return _others.default(o)


class ExactRenderer(JSONRenderer):
    """The framework's renderer with that encoder."""

    encoder_class = ExactEncoder  # type: ignore[assignment]
