"""Staff see the owner's own pages, read only, and each look is logged."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts.erasure import erase_person
from accounts.models import User
from accounts.pages import OWNER_PAGES, OwnerPage
from integrations.backoffice.timeline.entries import timeline
from integrations.connections.models import Arrival, Connection, State
from sandbox import Sandbox
from tests.marketplace import AURORA_1, EMMA, MARIA, arrive, follow
from tests.response import Response
from tests.working import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(client: Client, altegio: Sandbox, work: Work) -> Connection:
    arrive(client, altegio, AURORA_1, EMMA)
    work()
    return Connection.objects.get()


def owner_of(case: Connection) -> User:
    assert case.owner is not None
    return case.owner


def member_of(group: str) -> Client:
    person = User.objects.create_user(f"{group.lower()}@partner.example", is_staff=True)
    person.groups.set([person.groups.model.objects.get(name=group)])
    return signed_in(person)


def signed_in(person: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    return client


@pytest.fixture
def support_browser() -> Client:
    return member_of("Support")


def address(case: Connection, page: str = "account/") -> str:
    return reverse("admin:connections_connection_as_owner", args=[case.pk, page])


def status_page(case: Connection) -> str:
    return reverse("admin:connections_connection_as_owner_status", args=[case.pk, case.arrivals.get().pk])


def text(answer: Response) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def links(page: str) -> set[str]:
    return set(re.findall(r'<a [^>]*href="([^"]*)"', page))


@pytest.mark.parametrize("page", list(OWNER_PAGES), ids=lambda page: page.url_name)
def test_each_of_the_owners_pages_is_seen_below_a_banner(
    support_browser: Client, case: Connection, page: OwnerPage
) -> None:
    seen = text(support_browser.get(address(case, reverse(page.url_name)[1:])))
    assert f"You see this as <bdi>{case.owner}</bdi> sees it; read only." in seen
    assert f'href="{reverse("admin:connections_connection_change", args=[case.pk])}"' in seen


def test_the_page_is_the_owners_own(support_browser: Client, client: Client, case: Connection) -> None:
    client.force_login(owner_of(case))
    own = client.get(reverse("accounts:home")).content.decode()
    shown = re.search(r'<li data-salon="10101".*?</b>', own, re.DOTALL)
    assert shown is not None
    assert shown[0] in text(support_browser.get(address(case)))


@pytest.mark.parametrize("page", ["account/", "account/me/"])
def test_nothing_on_it_sends_anything(support_browser: Client, case: Connection, page: str) -> None:
    seen = text(support_browser.get(address(case, page)))
    controls = re.findall(r"<(?:button|input|select|textarea)\b[^>]*>", seen)
    assert controls
    assert [control for control in controls if " disabled" not in control] == []
    assert not re.search(r"<form[^>]+(action|method|target)=", seen)
    assert "<script" not in seen
    assert "csrfmiddlewaretoken" not in seen


def test_links_out_of_the_view_lead_nowhere(support_browser: Client, case: Connection) -> None:
    below = address(case, "account/").removesuffix("account/")
    shown = {reverse(page.url_name) for page in OWNER_PAGES}
    found = {link for link in links(text(support_browser.get(address(case)))) if not link.startswith("?")}
    own = {f"/{link.removeprefix(below)}" for link in found if link.startswith(below + "account/")}
    assert own
    assert own <= shown
    rest = {link for link in found if not link.startswith(below + "account/")}
    assert rest == {reverse("admin:connections_connection_change", args=[case.pk]), status_page(case)}


@pytest.mark.parametrize(
    "page",
    [
        *("account/me/download/", "account/me/password/", "account/me/email/", "account/me/erase/"),
        *("account/sign-out/", "account/language/", "account/connections/1/disconnect/"),
        *("admin/", "connect/status/x/", "api/v1/connections/"),
    ],
)
def test_no_other_page_is_reached_by_it(support_browser: Client, case: Connection, page: str) -> None:
    assert support_browser.get(address(case, page)).status_code == 404
    assert not LogEntry.objects.filter(change_message__startswith="Looked").exists()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_posted_there(case: Connection, method: str) -> None:
    person = User.objects.create_superuser("root@partner.example")
    client = Client()
    client.force_login(person)
    owner = owner_of(case)
    for page in (address(case, "account/me/"), status_page(case)):
        assert getattr(client, method)(page, {"name": "Mallory"}).status_code == 405
    assert User.objects.get(pk=owner.pk).name == owner.name


def test_the_browser_enforces_it_too(support_browser: Client, case: Connection) -> None:
    for page in (address(case), status_page(case)):
        answer = support_browser.get(page)
        policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
        assert policy["form-action"] == policy["script-src"] == policy["frame-ancestors"] == "'none'"
        assert answer["X-Frame-Options"] == "DENY"
        assert "no-store" in answer["Cache-Control"]


def test_no_session_of_the_owner_is_made(support_browser: Client, case: Connection) -> None:
    before = owner_of(case).last_login, owner_of(case).session_epoch
    sessions, cookies = Session.objects.count(), {name: each.value for name, each in support_browser.cookies.items()}
    text(support_browser.get(address(case, "account/me/")))
    text(support_browser.get(status_page(case)))
    after = User.objects.get(pk=owner_of(case).pk)
    assert (after.last_login, after.session_epoch) == before
    assert Session.objects.count() == sessions
    assert {name: each.value for name, each in support_browser.cookies.items()} == cookies


def test_the_view_speaks_the_owners_language_and_leaves_the_staffs_alone(
    support_browser: Client, case: Connection
) -> None:
    User.objects.filter(pk=owner_of(case).pk).update(language="hu")
    seen = text(support_browser.get(address(case, "account/me/"), headers={"Accept-Language": "uk"}))
    assert '<html lang="hu"' in seen
    assert "Adataim" in seen
    assert "You see this as" in seen
    assert '<html lang="en"' in support_browser.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(("group", "may"), [("Viewer", False), ("Finance", False), ("Administrator", True)])
def test_a_role_says_who_may(case: Connection, group: str, *, may: bool) -> None:
    client = member_of(group)
    assert client.get(address(case)).status_code == (200 if may else 403)
    assert client.get(status_page(case)).status_code == (200 if may else 403)
    page = client.get(reverse("admin:connections_connection_change", args=[case.pk])).content.decode()
    assert ("See what the owner sees" in page) is may


def test_a_custom_role_with_the_permission_may_look(case: Connection) -> None:
    person = User.objects.create_user("own@partner.example", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="see_as_owner"))
    assert signed_in(person).get(address(case)).status_code == 403
    person.user_permissions.set(Permission.objects.filter(codename__in=["see_as_owner", "view_connection"]))
    assert signed_in(person).get(address(case)).status_code == 200


def test_strangers_and_owners_are_not_let_in(client: Client, case: Connection) -> None:
    assert Client().get(address(case)).status_code == 302
    client.force_login(owner_of(case))
    assert client.get(address(case)).status_code == 302


def test_each_look_is_remembered_and_stands_in_the_timeline(support_browser: Client, case: Connection) -> None:
    support_browser.get(address(case))
    support_browser.get(address(case, "account/me/"))
    support_browser.get(status_page(case))
    looks = [(entry.title, entry.detail) for entry in timeline(case) if entry.kind == "staff"]
    assert looks == [
        ("Looked at the owner's page: Locations", "support@partner.example"),
        ("Looked at the owner's page: My data", "support@partner.example"),
        ("Looked at the owner's page: Status page", "support@partner.example"),
    ]


def test_an_erased_owner_has_no_pages(support_browser: Client, case: Connection) -> None:
    erase_person(owner_of(case))
    answer = support_browser.get(address(case), follow=True)
    assert "Nobody holds this connection" in answer.content.decode()
    assert "See what the owner sees" not in answer.content.decode()


def test_a_location_without_an_owner_has_only_its_status_page(
    support_browser: Client, client: Client, altegio: Sandbox
) -> None:
    arrive(client, altegio, AURORA_1)
    case = Connection.objects.get()
    assert "Nobody holds this connection" in support_browser.get(address(case), follow=True).content.decode()
    assert (
        "See the status page"
        in support_browser.get(reverse("admin:connections_connection_change", args=[case.pk])).content.decode()
    )
    seen = text(support_browser.get(status_page(case)))
    assert "whoever came sees it without having signed in" in seen


def test_a_claimant_of_a_held_location_is_not_shown_as_its_owner(
    support_browser: Client, client: Client, altegio: Sandbox, case: Connection
) -> None:
    follow(client, altegio, AURORA_1, MARIA)
    claim = Connection.objects.exclude(pk=case.pk).get()
    assert claim.claimant is not None
    answer = support_browser.get(address(claim), follow=True)
    assert "Nobody holds this connection" in answer.content.decode()
    assert f"as <bdi>{claim.claimant}</bdi>" not in text(support_browser.get(status_page(claim)))


def test_an_arrival_of_another_connection_is_not_shown(
    support_browser: Client, case: Connection, altegio: Sandbox
) -> None:
    arrive(Client(), altegio, 10201, MARIA)
    other = Arrival.objects.exclude(connections=case).get()
    page = reverse("admin:connections_connection_as_owner_status", args=[case.pk, other.pk])
    assert support_browser.get(page).status_code == 404


def test_a_location_under_review_shows_as_little_as_to_the_owner(
    support_browser: Client, client: Client, case: Connection
) -> None:
    Connection.objects.update(review="Another name.", state=State.ACTIVE)
    client.force_login(owner_of(case))
    title = case.location.title
    assert title
    assert title not in client.get(reverse("accounts:home")).content.decode()
    assert title not in text(support_browser.get(address(case)))
