"""After a day with everything in it, no secret stands in a log line, a page or a plain column."""

import re
import socket
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox import Sandbox
from tests.end_to_end.conftest import EMMA
from tests.end_to_end.portal import PARTNER_TOKEN, STAFF_PASSWORD, Portal
from tests.not_none import not_none

TELEPHONY = 2
OWNERS_PASSWORD, WRONG_PASSWORD = "owners-password-nobody-may-see", "wrong-password-nobody-may-see"
WRONG_API_KEY = "abcdefgh.api-key-nobody-may-see"
ADMIN_PAGES = (
    "",
    *(
        f"{name}/"
        for name in ("connections/connection", "outbox/outgoingcall", "connections/arrival", "connections/chain")
    ),
)


class Day:
    """What was sent that is secret, and every page that was shown."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {
            "partner token": PARTNER_TOKEN,
            "staff's password": STAFF_PASSWORD,
            "owner's password": OWNERS_PASSWORD,
            "mistyped password": WRONG_PASSWORD,
            "wrong API key": WRONG_API_KEY,
        }
        self.pages: list[str] = []

    def saw(self, answer: requests.Response) -> requests.Response:
        self.pages.append(answer.text)
        return answer


@pytest.fixture
def day(portal: Portal, altegio: Sandbox) -> Day:
    """Arrivals of every sort, forms, a refused call that repeats the token, staff at work."""
    day = Day()
    altegio.fault("error", "activate", status=500, body=f"What is 'Bearer {PARTNER_TOKEN}'?", remaining=1)
    portal.start_worker("-B", LOG_LEVEL="DEBUG")
    page = arrive_signed(day, portal, altegio)
    arrive_unsigned(day, portal, altegio)
    portal.wait_until_active(page)
    day.saw(portal.page(page))
    work_as_staff(day, portal)
    day.saw(portal.page("/api/v1/connections/", headers={"Authorization": f"Api-Key {WRONG_API_KEY}"}))
    for number, request in enumerate(altegio.requests("activate")):
        if "api_key" in request.body:
            day.secrets[f"API key {number}"] = request.body["api_key"]
        (address,) = request.body["webhook_urls"]
        day.secrets[f"events key {number}"] = urlsplit(address).path.split("/")[-2]
    portal.stop()
    return day


def arrive_signed(day: Day, portal: Portal, altegio: Sandbox) -> str:
    chain, locations = altegio.add_chain(2)
    altegio.grant(locations, TELEPHONY, EMMA)
    altegio.grant(locations, user_id=EMMA)
    day.secrets["CRM token"] = chain.crm_token
    url = altegio.arrival_url(locations, TELEPHONY, EMMA)
    given = parse_qs(urlsplit(url).query)
    day.secrets["signed telephony data"] = given["user_data"][0].rstrip("=")
    day.secrets["its signature"] = given["user_data_sign"][0]
    telephony = portal.url + day.saw(portal.page(url)).headers["Location"]
    for broken in (url + "0", url.replace("user_data=", "user_data=A"), url.replace("salon_ids", "salon_idz")):
        assert day.saw(portal.page(broken)).status_code == 400
    say_nonsense(portal, f"GET /connect/? {urlsplit(url).query} HTTP/1.1")
    day.saw(portal.page(portal.url + "/no-such-page/?" + urlsplit(url).query))
    portal.wait_until_active(telephony)
    return portal.url + day.saw(portal.page(altegio.arrival_url(locations, user_id=EMMA))).headers["Location"]


def say_nonsense(portal: Portal, line: str) -> None:
    """Something that is not HTTP, to the web process itself."""
    address = urlsplit(portal.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(f"{line}\r\nHost: x\r\n\r\n".encode())
        assert b" 400 " in connection.recv(1000)


def arrive_unsigned(day: Day, portal: Portal, altegio: Sandbox) -> None:
    _chain, locations = altegio.add_chain(1)
    altegio.grant(locations)
    forms = day.saw(portal.page(altegio.arrival_url(locations))).text
    step = not_none(re.search(r"/connect/step/[^/\"]+/", forms)).group()
    mistyped = {"email": "owner@example.com", "password": WRONG_PASSWORD}
    assert day.saw(portal.page(f"{step}sign-in/", method="POST", data=mistyped)).status_code == 400
    person = {"name": "Olga", "email": "owner@example.com", "phone": "", "password": OWNERS_PASSWORD}
    registered = day.saw(portal.page(f"{step}sign-up/", method="POST", data=person))
    assert registered.status_code == 303
    portal.wait_until_active(portal.url + registered.headers["Location"])


def work_as_staff(day: Day, portal: Portal) -> None:
    browser = requests.Session()
    sign_in = f"{portal.url}/admin/login/?next=/admin/"
    for password in (WRONG_PASSWORD, STAFF_PASSWORD):
        form = browser.get(sign_in, timeout=30).text
        token = not_none(re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)).group(1)
        given = {"csrfmiddlewaretoken": token, "username": "staff@example.com", "password": password}
        day.saw(browser.post(sign_in, data=given, timeout=30))
    calls = portal.database.query("SELECT id FROM outbox_outgoingcall")
    details = [f"outbox/outgoingcall/{number}/change/" for (number,) in calls[-8:]]
    for page in (*ADMIN_PAGES, *details):
        answer = day.saw(browser.get(f"{portal.url}/admin/{page}", timeout=30))
        assert answer.status_code == 200
        assert "/admin/login/" not in answer.url


def test_no_secret_stands_where_it_could_be_read(day: Day, portal: Portal) -> None:
    places = {"the logs": portal.logs(), "the pages": "\n".join(day.pages), "the database": portal.database.dump()}
    assert "altegio_answered" in places["the logs"]
    assert "Olga" in places["the database"]
    found = [(name, place) for name, secret in day.secrets.items() for place in places if secret in places[place]]
    assert found == []
