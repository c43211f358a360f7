"""The suite's settings: the product's own, with test keys and no other environment.

Of the developer's environment only `DATABASE_URL` and `REDIS_URL` count. Every process of the suite writes into its
own folder.
"""

import os
import tempfile

_var = tempfile.TemporaryDirectory(prefix="portal-tests-")
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
    "ENV_FILE": os.devnull,
    "VAR_DIR": _var.name,
}
_ELSEWHERE = ("DEBUG", "LOG_JSON", "DEFAULT_FROM_EMAIL", "SENTRY_DSN", "EMBEDDED_BROKER_DIR")
for _name in [name for name in os.environ if name.startswith("ALTEGIO_") or name in _ELSEWHERE]:
    del os.environ[_name]
os.environ.update(_ENVIRONMENT)

from partner_portal.settings import *  # noqa: E402, F403
from partner_portal.settings import DATABASES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A live server's threads would keep the test database open beyond its end.
DATABASES["default"]["CONN_MAX_AGE"] = 0
# No worker listens: `work()` is the worker, and tests/end_to_end/ start real ones with real brokers.
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT: str | None = None  # type: ignore[no-redef]
CELERY_BROKER_TRANSPORT_OPTIONS = {}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    # The cache is in files, as in `make run`: threads and processes share it and lock each other.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}  # noqa: F405
else:
    # A test's commit need not survive a power cut.
    DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"
