"""What is ready made is tried with the connected locations and the API that the features are tested with."""

from tests.integrations.conftest import api, arrive, connect, telephony

__all__ = ["api", "arrive", "connect", "telephony"]
