"""What the hot addresses are measured against: a Django view, no middleware, one INSERT through the ORM."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_portal.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

TABLE = {
    "postgresql": "CREATE TABLE IF NOT EXISTS bench_bare"
    " (id bigserial PRIMARY KEY, received_at timestamptz NOT NULL, body text NOT NULL)",
    "sqlite": "CREATE TABLE IF NOT EXISTS bench_bare"
    " (id integer PRIMARY KEY AUTOINCREMENT, received_at datetime NOT NULL, body text NOT NULL)",
}

settings.MIDDLEWARE = []
settings.ROOT_URLCONF = "bench.bare_urls"

application = get_wsgi_application()
