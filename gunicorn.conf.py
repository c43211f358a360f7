"""gunicorn's settings, which it reads from the folder in which it is started.

A chain's arrival has an address of tens of kilobytes, which gunicorn can only allow as "any length"; the arrival's
parser has its own limit. The control socket is disabled because all portals would share its path.
"""

import gc
import logging
import os
from pathlib import Path
from typing import Any

import environ

# This module runs before Django's settings, which read the same file.
environ.Env.read_env(os.environ.get("ENV_FILE") or Path(__file__).with_name(".env"))
bind = os.environ.get("BIND") or f"0.0.0.0:{os.environ.get('PORT') or '8000'}"
workers = int(os.environ.get("WEB_CONCURRENCY") or "2")
worker_class = "partner_portal.core.gunicorn_worker.BufferingWorker"
threads = 4
keepalive = 5
timeout = 60
limit_request_line = 0
# The worker buffers what a slow client has not read yet; with sendfile the kernel would make the thread wait for it.
sendfile = False
# No header sets the path at which the portal stands: a proxy on the same host may forward what strangers send.
forwarder_headers = ""
control_socket_disable = True


def without_what_was_sent(record: logging.LogRecord) -> bool:
    """Remove the content from records of requests that are not HTTP, or that failed: it may be signed user data."""
    if isinstance(record.msg, str) and record.msg.startswith("Invalid request"):
        record.msg = record.msg.partition("'")[0]
    if isinstance(record.msg, str) and record.msg.startswith("Error handling request"):
        record.msg, record.args = "Error handling request", ()
    return True


def on_starting(server: Any) -> None:
    """Filter the error log (gunicorn's hook, before the workers are forked)."""
    server.log.error_log.addFilter(without_what_was_sent)


def post_worker_init(_worker: Any) -> None:
    """Keep the garbage collector away from what is loaded (gunicorn's hook, when a worker has loaded the portal).

    What is loaded stays, so no collection needs to scan it again. The thousand objects of one report start no
    collection of their own.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
