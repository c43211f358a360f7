"""The partner's customers, reported by its own systems under its own ids, before or after they come through Altegio.

A report proves nothing. An account waits under the customer's address, and becomes theirs once it is known who has it
(`accounts/proofs.py`), so whoever arrives under the address is led to it as to any other account. An account that
somebody already had is only recognised, and stays as its owner has it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.dispatch import receiver

from accounts.mail_addresses import address_in
from accounts.models import Customer, User
from accounts.proofs import address_given, has_proven_address, is_known, taken_over
from accounts.signals import customer_changed, person_changed
from partner_portal.core.external_ids import read_external_id
from partner_portal.core.overtaken import OvertakenError, again_when_overtaken

FIELDS = ("email", "name", "phone", "language")
_LENGTHS = {field.name: field.max_length or 0 for field in Customer._meta.fields if field.name in FIELDS}


class InvalidCustomerError(Exception):
    """Raised when the reported data is invalid: `errors` gives the reasons for each field."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items()))
        self.errors = errors


class CustomerConflictError(Exception):
    """Raised when the e-mail is another's; `str()` says whose. `external_id` is that customer's, "" for staff."""

    def __init__(self, text: str, external_id: str = "") -> None:
        super().__init__(text)
        self.external_id = external_id


@dataclass(frozen=True)
class CustomerData:
    """The data of a customer as the partner reports it, parsed and valid."""

    external_id: str
    email: str
    name: str = ""
    phone: str = ""
    language: str = ""


def read_customer(external_id: str, raw: Mapping[str, object]) -> CustomerData:
    """Parse the fields named in docs/interface.md. Raises InvalidCustomerError with every field that is wrong."""
    errors: dict[str, list[str]] = {}
    read: dict[str, str] = {}
    for name in FIELDS:
        try:
            read[name] = _read(name, raw.get(name))
        except ValueError as problem:
            errors[name] = [str(problem)]
    try:
        _check_address(read_external_id(external_id))
    except ValueError as problem:
        errors["external_id"] = [str(problem)]
    if errors:
        raise InvalidCustomerError(errors)
    return CustomerData(external_id, **read)


def _read(name: str, value: object) -> str:
    # Spreadsheets write line breaks and non-breaking spaces into cells.
    text = " ".join(value.split()) if isinstance(value, str) else value
    if text is None or text == "":
        if name == "email":
            raise ValueError("This field is required.")
        return ""
    if not isinstance(text, str) or len(text) > _LENGTHS[name]:
        raise ValueError(f"Write a text of at most {_LENGTHS[name]} characters.")
    if not text.isprintable():
        raise ValueError("Write it without invisible characters.")
    if name == "email" and not address_in(text):
        raise ValueError("Write one e-mail address, without a name beside it.")
    languages = [code for code, _name in settings.LANGUAGES]
    if name == "language" and text not in languages:
        raise ValueError(f"Write one of: {', '.join(languages)}.")
    return text


def _check_address(external_id: str) -> None:
    """Raise ValueError for an id that cannot be part of a URL, because programs on its way normalise such paths."""
    if any(part in ("", ".", "..") for part in external_id.split("/")):
        raise ValueError("It stands in an address: no part between slashes may be empty, or dots alone.")


@again_when_overtaken
def put_customer(data: CustomerData) -> tuple[Customer, bool]:
    """Store the customer as reported; return them and whether they are new. Raises CustomerConflictError.

    If the same customer or address is stored at the same moment, the transaction that lost the race is retried.
    """
    customer, is_new, before = _put(data)
    if before != customer.user:
        for person in filter(None, (before, customer.user)):
            customer_changed.send(sender=Customer, user=person)
    return customer, is_new


@again_when_overtaken
def try_customer(data: CustomerData) -> bool:
    """Return whether the customer would be new. Nobody is notified; the caller rolls its transaction back."""
    return _put(data)[1]


def _put(data: CustomerData) -> tuple[Customer, bool, User | None]:
    """Store the customer; return them, whether they are new, and the account they had before."""
    customer = _held(data)
    is_new = customer is None
    if customer is None:
        customer = Customer(external_id=data.external_id)
    elif all(getattr(customer, name) == value for name, value in asdict(data).items()):
        return customer, False, customer.user
    account = _account(customer, data)
    _refuse_others(customer, data.email, account)
    made = _made_account(customer)
    if account is None:
        account = _make_account(customer, data)
    if made is not None and made.pk != account.pk:
        # They have an account of their own: whoever opens the made one must not see what was reported of them.
        _follow(made, CustomerData(data.external_id, customer.email))
    customer.made_account = customer.made_account and _is_unopened(account)
    if customer.made_account:
        _follow(account, data)
    for name in FIELDS:
        setattr(customer, name, getattr(data, name))
    before = customer.user
    customer.user = account if is_known(account) else None
    customer.save()
    return customer, is_new, before


def hold_customers(customers: Iterable[CustomerData]) -> None:
    """Lock all that storing these customers one by one would lock, in a fixed order. Call it in a transaction."""
    wanted = {data.external_id: data.email for data in customers}
    same = Customer.objects.filter(external_id__in=wanted)
    seen = list(same.values_list("email", "user"))
    addresses = {*wanted.values(), *(email for email, _user in seen)}
    theirs = Q(_address__in=[Lower(Value(each)) for each in sorted(addresses)]) | Q(pk__in=[user for _, user in seen])
    accounts = User.objects.alias(_address=Lower("email")).filter(theirs).select_for_update(no_key=True)
    list(accounts.order_by("pk").values_list("pk"))
    list(same.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _held(data: CustomerData) -> Customer | None:
    """Lock every account that may be the customer's, then the customer; return the customer, None if there is none.

    The accounts come first, as where an address is proven: whoever opens one at this moment has finished, or finds it
    changed. Raises OvertakenError if the customer changed meanwhile.
    """
    same = Customer.objects.filter(external_id=data.external_id)
    seen = same.first()
    theirs = Q(_address=Lower(Value(data.email)))
    if seen is not None:
        theirs |= Q(_address=Lower(Value(seen.email))) | Q(pk=seen.user_id)
    accounts = User.objects.alias(_address=Lower("email")).filter(theirs).select_for_update(no_key=True)
    list(accounts.order_by("pk"))
    customer = same.select_for_update(of=("self",), no_key=True).select_related("user").first()
    if (seen and (seen.email, seen.user_id)) != (customer and (customer.email, customer.user_id)):
        raise OvertakenError
    return customer


def _account(customer: Customer, data: CustomerData) -> User | None:
    """Return the customer's account, if any. One that was made under a mistyped address follows the correction."""
    if customer.user is not None and customer.email.lower() == data.email.lower():
        return customer.user
    under_address = User.objects.with_email(data.email).first()
    if under_address is not None or not customer.made_account:
        # A known customer with another address keeps their account, unless somebody else has that address.
        return under_address or customer.user
    return _made_account(customer) or customer.user


def _made_account(customer: Customer) -> User | None:
    """Return the account that was made for the customer; None once somebody has opened it."""
    made = User.objects.with_email(customer.email).first() if customer.made_account else None
    return made if made is not None and _is_unopened(made) else None


def _is_unopened(account: User) -> bool:
    """Return whether nobody has had the account yet."""
    return not (account.has_usable_password() or account.is_staff or is_known(account))


def _refuse_others(customer: Customer, email: str, account: User | None) -> None:
    other = Customer.objects.with_email(email).exclude(pk=customer.pk).first()
    if other is None and account is not None:
        other = Customer.objects.filter(user=account).exclude(pk=customer.pk).first()
    if other is not None:
        text = f"This e-mail is that of the customer {other.external_id}."
        raise CustomerConflictError(text, other.external_id)
    if account is not None and account.is_staff:
        raise CustomerConflictError("This e-mail is that of a member of staff.")


def _make_account(customer: Customer, data: CustomerData) -> User:
    customer.made_account = True
    return User.objects.create_user(data.email, name=data.name, phone=data.phone, language=data.language)


def _follow(account: User, data: CustomerData) -> None:
    is_moved = account.email != data.email
    for name in FIELDS:
        setattr(account, name, getattr(data, name))
    account.save(update_fields=FIELDS)
    if is_moved:
        # End the links to the former address, even one that is being opened at this moment.
        address_given(account)


@receiver((taken_over, person_changed))
def recognise(user: User, **_: Any) -> None:
    """Link a user who has proven an address to the customer whom the partner knows under it."""
    proven = User.objects.filter(pk=user.pk).exclude(email=None).first()
    if proven is None or not has_proven_address(proven) or Customer.objects.filter(user=proven).exists():
        return
    under_address = Customer.objects.with_email(proven.email or "").filter(user=None)
    customer = under_address.select_for_update(no_key=True).first()
    if customer is not None:
        customer.user = proven
        customer.save(update_fields=["user", "updated_at"])
        customer_changed.send(sender=Customer, user=proven)
