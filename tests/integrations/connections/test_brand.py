"""An application has its own brand on its pages and e-mails, and for owners who know no other one."""

import struct

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.brands import brand_for
from accounts.email_rendering import render
from accounts.models import OutgoingEmail, User
from integrations.connections.brand import brand_of
from integrations.connections.models import Application, BrandLogo, Connection
from partner_portal.core.brand import Brand
from sandbox import Sandbox
from tests.marketplace import AURORA_1, AURORA_2, arrive

pytestmark = pytest.mark.django_db
BLUEBIRD = Brand(name="Bluebird SMS", support_email="care@bluebird.example")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 64, 64)


@pytest.fixture(autouse=True)
def bluebird(settings: Settings) -> None:
    settings.BRAND = BLUEBIRD


@pytest.fixture
def voice() -> Application:
    return Application.objects.create(
        altegio_id=2, name="Calls", brand_name="Bluebird Voice", brand_color="#101030", kind="telephony"
    )


def email_to(person: User, **params: object) -> OutgoingEmail:
    return OutgoingEmail(template="email_changed", to="emma@aurora.example", person=person, params=params)


def test_the_portals_brand_fills_what_an_application_leaves_out(voice: Application) -> None:
    brand = brand_of(voice)
    assert (brand.name, brand.color, brand.support_email) == ("Bluebird Voice", "#101030", BLUEBIRD.support_email)
    assert brand_of(Application(altegio_id=3)) == brand_of(None) == BLUEBIRD


def test_the_applications_pages_and_emails_carry_its_brand(
    client: Client, altegio: Sandbox, voice: Application
) -> None:
    page = client.get(arrive(client, altegio, AURORA_1, application_id=2)["Location"]).content.decode()
    assert "<bdi>Bluebird Voice</bdi>" in page
    assert brand_of(voice).stylesheet_path in page
    message = render(email_to(User.objects.get()))
    assert message.from_email == "Bluebird Voice <portal@localhost>"
    assert message.reply_to == [BLUEBIRD.support_email]


def test_an_owner_of_two_applications_sees_the_portals_brand(
    client: Client, altegio: Sandbox, voice: Application
) -> None:
    arrive(client, altegio, AURORA_1, application_id=2)
    emma = User.objects.get()
    assert brand_for(emma) == brand_of(voice)
    arrive(client, altegio, AURORA_2, application_id=1)
    assert brand_for(emma) == BLUEBIRD


def test_an_application_without_a_name_is_called_as_its_brand(client: Client, altegio: Sandbox) -> None:
    arrive(client, altegio, AURORA_1)
    application = Connection.objects.get().application
    assert (application.shown_name, str(application)) == ("Bluebird SMS", "#1")


class TestForm:
    """Staff set the brand in the admin."""

    @pytest.fixture
    def address(self, admin_client: Client, voice: Application) -> str:
        return f"/admin/connections/application/{voice.pk}/change/"

    def post(self, client: Client, address: str, **fields: object) -> dict[str, list[str]]:
        """Send the form with these fields changed; return its errors by field."""
        form = client.get(address).context["adminform"].form
        kept = {name: form[name].value() for name in form.fields if name != "brand_logo"}
        values = {name: value for name, value in kept.items() if value is not None}
        answer = client.post(address, values | fields)
        return {} if answer.status_code == 302 else dict(answer.context["adminform"].form.errors)

    @pytest.mark.parametrize(("content", "kind"), [(SVG, "svg"), (PNG, "png")])
    def test_a_logo_is_stored_and_shown(
        self, admin_client: Client, voice: Application, address: str, content: bytes, kind: str
    ) -> None:
        assert self.post(admin_client, address, brand_logo=SimpleUploadedFile("any.name", content)) == {}
        voice.refresh_from_db()
        assert str(voice.brand_logo_id).endswith(kind)
        assert admin_client.get(brand_of(voice).logo_path).content == content

    @pytest.fixture
    def logo(self, admin_client: Client, voice: Application, address: str) -> str:
        """Return the id of the application's logo."""
        self.post(admin_client, address, brand_logo=SimpleUploadedFile("any.name", SVG))
        voice.refresh_from_db()
        assert voice.brand_logo_id
        return str(voice.brand_logo_id)

    def test_a_logo_is_kept_where_the_form_says_nothing_of_it(
        self, admin_client: Client, voice: Application, address: str, logo: str
    ) -> None:
        assert self.post(admin_client, address) == {}
        voice.refresh_from_db()
        assert str(voice.brand_logo_id) == logo

    def test_a_logo_that_is_taken_away_stays_for_the_emails_of_before(
        self, admin_client: Client, voice: Application, address: str, logo: str
    ) -> None:
        assert self.post(admin_client, address, **{"brand_logo-clear": "on"}) == {}
        voice.refresh_from_db()
        assert voice.brand_logo_id is None
        assert str(BrandLogo.objects.get().pk) == logo

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("brand_logo", SimpleUploadedFile("logo.svg", b"<html/>")),
            ("brand_color", "green"),
            ("brand_name", "Blue\x07bird"),
            ("brand_support_email", "care"),
            ("brand_terms_url", "javascript:alert(1)"),
        ],
    )
    def test_an_unusable_value_is_reported_at_its_field(
        self, admin_client: Client, address: str, field: str, value: object
    ) -> None:
        assert list(self.post(admin_client, address, **{field: value})) == [field]
