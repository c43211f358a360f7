"""JSON output of the API and the webhooks: a decimal from outside is written with exactly the digits that came."""

from typing import Any

import simplejson
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

_others = JSONEncoder()


class ExactEncoder(simplejson.JSONEncoder):
    """An encoder that writes decimals exactly, `simplejson.RawJSON` unchanged, and all else as DRF's encoder does.

    DRF's own way turns a decimal into a float, which loses digits and fails for decimals too large for a float.
    """

    def default(self, o: Any) -> Any:
        return _others.default(o)


class ExactRenderer(JSONRenderer):
    """DRF's JSON renderer with `ExactEncoder`."""

    encoder_class = ExactEncoder  # type: ignore[assignment]
