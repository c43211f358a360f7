"""Ready-made parts are tested with the connected locations and API of the features."""

from tests.integrations.conftest import api, arrive, connect, telephony

__all__ = ["api", "arrive", "connect", "telephony"]
