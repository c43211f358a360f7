"""What a connection's life tells to whoever listens; each is sent inside the transaction of the change."""

from django.dispatch import Signal

# `connection`, `before`, `after`: sent inside the transaction of the change, for what lies above.
connection_changed = Signal()
# `changes`: the same of all that one `move` or `move_each` changed, after each: for who writes many at once. Of what
# has just begun too, with no state before.
connections_changed = Signal()
# `keys`: what is shown of these beside their state has changed (the owner, the title, the partner's id). Sent after
# the change, whose transaction it is in.
details_changed = Signal()
# `connection`, `status`: it has ended, and Altegio waits for a new activation.
granted_again = Signal()
# `connection`, `status`: believed ended, while Altegio calls it active or frozen.
found_alive = Signal()
# `connection`, `status`, `before`: every answer, after it was believed, and the state of before. For payments and
# the like.
status_synced = Signal()
# `connection_id`, `why`: a question about it has ended, and Altegio told no status.
status_unknown = Signal()
