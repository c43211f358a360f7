"""Signals of a connection's life; each is sent inside the transaction of the change."""

from django.dispatch import Signal

# Sent with `connection`, `before` and `after` inside the transaction of the change, for the features above.
connection_changed = Signal()
# Sent with `changes` after all signals of one `move` or `move_each`, for receivers that write many rows at once. It
# also reports connections that have just begun, without a state before.
connections_changed = Signal()
# Sent with `keys` after something else that is shown of these connections has changed (the owner, the title, the
# partner's id), inside the transaction of the change.
details_changed = Signal()
# Sent with `connection` and `status`: it has ended, and Altegio waits for a new activation.
granted_again = Signal()
# Sent with `connection` and `status`: the portal believes that it ended, but Altegio calls it active or frozen.
found_alive = Signal()
# Sent with `connection`, `status` and the state `before`, after each answer was applied. For payments, for example.
status_synced = Signal()
# Sent with `connection_id` and `why`: a question about it has ended, and Altegio sent no status.
status_unknown = Signal()
