"""Search for the people whom a caller may mean, by all that they can say of themselves."""

from accounts.models import Customer, User
from partner_portal.core.search import MAX_RELATED, matching

CUSTOMER_FIELDS = ("=external_id", "email__istartswith", "name__istartswith", "phone__in_any_form")
PEOPLE_FIELDS = (
    "email__istartswith",
    "name__istartswith",
    "phone__startswith",
    "phone__in_any_form",
    "=identities__altegio_user_id",
    "=customer__external_id",
)


def people_found(term: str) -> list[User]:
    """Return accounts that match the words, newest first; at most `MAX_RELATED`."""
    return list(User.objects.filter(matching(User, PEOPLE_FIELDS, term)).order_by("-pk")[:MAX_RELATED])


def customers_without_account(term: str, at_most: int) -> list[Customer]:
    """Return matching customers who have no account yet, newest first; at most `at_most`."""
    found = Customer.objects.filter(matching(Customer, CUSTOMER_FIELDS, term)).order_by("-pk")[:MAX_RELATED]
    return [customer for customer in found if customer.user_id is None][:at_most]
