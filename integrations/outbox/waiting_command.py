"""Waiting, in a command, for calls that it has queued: it helps to send them and shows the progress."""

import sys
import time
from collections.abc import Callable

from django.core.management.base import CommandError
from tqdm import tqdm

from integrations.outbox.dispatcher import dispatch_due
from integrations.outbox.token_stop import token_is_stopped

PAUSE = 0.2


def wait_until_sent(count_left: Callable[[], int], total: int) -> None:
    """Wait until `count_left()` of `total` is 0. Raises CommandError if Altegio refuses the partner token."""
    with tqdm(total=total, file=sys.stderr, disable=None, leave=False) as bar:
        while left := count_left():
            if token_is_stopped():
                raise CommandError("Altegio refuses the partner token: replace it, then run this again.")
            dispatch_due()
            bar.n = total - left
            bar.refresh()
            time.sleep(PAUSE)
