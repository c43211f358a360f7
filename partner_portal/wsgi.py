"""The WSGI application that gunicorn serves."""

import os

from partner_portal.core.fast_path import with_short_path
from partner_portal.core.request_body import with_whole_body
from partner_portal.core.stale_connections import watch_lines

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_portal.settings")

watch_lines()
application = with_whole_body(with_short_path())
