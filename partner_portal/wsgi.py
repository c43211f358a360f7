"""The WSGI application that gunicorn serves."""

import os

from partner_portal.dead_lines import watch_lines
from partner_portal.short_path import with_short_path
from partner_portal.whole_body import with_whole_body

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_portal.settings")

watch_lines()
application = with_whole_body(with_short_path())
