"""The WSGI application that gunicorn serves."""

import os

from partner_portal.short_path import with_short_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partner_portal.settings")

application = with_short_path()
