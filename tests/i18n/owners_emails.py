"""Every e-mail that owners get, with its data."""

from accounts.confirmation_links import state_of
from accounts.models import User
from billing.models import Payment, PaymentStatus
from integrations.connections.models import Connection

Params = dict[str, object]
# Russian and Ukrainian count this number in the singular form.
MANY = 20


def emails_about(owner: User, arrival: int, connections: dict[str, Connection]) -> list[tuple[str, Params]]:
    """Return the templates and the data of each; a template about several things comes once for one and once for
    many.
    """
    link = {"arrival": arrival}
    paid, refunded = (
        Payment.objects.get(status=status).pk for status in (PaymentStatus.REPORTED, PaymentStatus.REFUNDED)
    )
    subjects = {
        "connected": connections["active"].pk,
        "not_connected": connections["failed"].pk,
        "frozen": connections["frozen"].pk,
        "ending": connections["active"].pk,
        "chain_named": connections["active"].pk,
        "token_not_taken": connections["active"].pk,
        "payment": paid,
        "refund": refunded,
    }
    alone: list[tuple[str, Params]] = [
        ("welcome", {**link}),
        ("sign_in_link", {**link}),
        ("password_reset", {}),
        ("altegio_user_linked", {"number": 9001}),
        ("disconnected", {"connection": connections["active"].pk}),
        ("email_confirm", {"state": state_of(owner)}),
        ("email_changed", {}),
        ("email_taken", {}),
        ("erase", {"state": state_of(owner)}),
    ]
    about_several = [
        (name, {"subjects": [subject], "more": more}) for name, subject in subjects.items() for more in (0, 1, MANY)
    ]
    return [*alone, *about_several]
