"""The suite's settings: the product's own, with keys that protect nothing and no other environment."""

import os
import tempfile
from pathlib import Path

_KEPT = {"DATABASE_URL", "REDIS_URL"}
_ENVIRONMENT = {
    "SECRET_KEY": "only-for-tests",
    "PORTAL_URL": "http://localhost:8000",
    "ALLOWED_HOSTS": "*",
    "FIELD_ENCRYPTION_KEYS": "WvGZ3K3cE8mXn6J0V2wS1d7xq0m0yq9b8yq3T1c2b3A=",
    "ALTEGIO_PARTNER_TOKEN": "partner-token-of-the-tests",
    "ALTEGIO_APPLICATION_ID": "1",
    "SERVE_STATIC_WITHOUT_COLLECTING": "1",
    "LOG_LEVEL": "WARNING",
    "EMAIL_URL": "memorymail://",
    "EMBEDDED_BROKER_DIR": str(Path(tempfile.gettempdir()) / f"portal-test-broker-{os.getpid()}"),
}
for _name in [name for name in os.environ if name.startswith("ALTEGIO_") and name not in _KEPT]:
    del os.environ[_name]
os.environ.update(_ENVIRONMENT)

from partner_portal.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if not REDIS_URL:  # noqa: F405
    # Each process of the suite clears its own.
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
