"""gunicorn's settings, taken up from the folder it is started in.

A chain's arrival is an address of tens of kilobytes, which gunicorn can only allow as "any length"; the
arrival's parser has its own limit. The control socket would stand at a path shared by all portals.
"""

import os

bind = os.environ.get("BIND", f"0.0.0.0:{os.environ.get('PORT', '8000')}")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 4
keepalive = 5
timeout = 60
limit_request_line = 0
control_socket_disable = True
