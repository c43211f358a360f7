"""The sandbox leads to the portal with the parameters, signatures and pages of docs/altegio.md §1."""

import base64
import hashlib
import hmac
import json
import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from sandbox import Sandbox, Status
from tests.sandbox.conftest import EMMA, LISBON, LONDON, MANCHESTER, MARIA, MOSCOW, TELEPHONY, Caller, Portal


def query(address: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(address).query)


def press(sandbox: Sandbox, **form: Any) -> requests.Response:
    return requests.post(f"{sandbox.app_url}/", data=form, allow_redirects=False, timeout=5)


def test_the_person_is_signed_over_the_bytes_as_sent(sandbox: Sandbox) -> None:
    given = dict(query(sandbox.arrival_url(MOSCOW, user_id=MARIA)))
    payload = base64.urlsafe_b64decode(given["user_data"])
    assert given["user_data_sign"] == hmac.new(b"demo-token", payload, hashlib.sha256).hexdigest()
    person = json.loads(payload)
    assert list(person) == ["id", "name", "phone", "email", "is_approved", "avatar", "salon_name"]
    assert (person["name"], person["salon_name"]) == ("Мария Иванова", "Барбершоп «Медведь» на Арбате")


def test_one_location_arrives_as_salon_id(sandbox: Sandbox, portal: Portal) -> None:
    assert sandbox.arrival_url(LONDON) == f"{portal.url}/connect/?salon_id={LONDON}"


@pytest.mark.parametrize(
    ("form", "pairs"),
    [
        ("brackets", [("salon_ids[]", "10101"), ("salon_ids[]", "10102")]),
        ("comma", [("salon_ids", "10101,10102")]),
        ("indexed", [("salon_ids[0]", "10101"), ("salon_ids[1]", "10102")]),
    ],
)
def test_several_locations_stand_in_three_forms(sandbox: Sandbox, form: str, pairs: Any) -> None:
    assert query(sandbox.arrival_url([LONDON, MANCHESTER], form=form)) == pairs


def test_telephony_brings_the_chain_and_goes_to_its_own_address(sandbox: Sandbox) -> None:
    address = sandbox.arrival_url(LONDON, TELEPHONY)
    assert urlsplit(address).path == "/connect/2/"
    assert query(address)[1:] == [("salon_group_id", "501"), ("crm_token", sandbox.chain(501).crm_token)]


def test_connect_grants_and_sends_the_browser_to_the_portal(sandbox: Sandbox) -> None:
    answer = press(sandbox, application=1, location=[LONDON, LISBON], user=EMMA, share=1)
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["salon_ids[]"] == ["10101", "10401"]
    assert sandbox.status_of(LISBON) == Status.PENDING


def test_a_newcomer_finds_something_chosen(sandbox: Sandbox) -> None:
    shown = requests.get(sandbox.app_url, timeout=5).text
    assert f'name="location" value="{LONDON}" checked' in shown
    assert 'value="1" data-name="Text messages" checked' in shown


def test_connect_without_a_location_says_what_to_do(sandbox: Sandbox) -> None:
    answer = press(sandbox, application=1)
    assert answer.status_code == 400
    assert "Choose a location first." in answer.text


def test_a_chain_of_1500_goes_in_one_address(sandbox: Sandbox) -> None:
    chain, ids = sandbox.add_chain(1500)
    answer = press(sandbox, application=1, chain=chain.id)
    assert len(parse_qs(urlsplit(answer.headers["Location"]).query)["salon_ids[]"]) == 1500
    assert sandbox.status_of(ids[-1]) == Status.PENDING


@pytest.mark.parametrize(
    "path",
    [
        "/",
        f"/locations/{LONDON}/",
        f"/frame/{LONDON}/1/",
        f"/appstore/{LONDON}/applications/1/info",
        "/faults/",
        "/log/",
    ],
)
def test_every_page_is_shown_without_anything_from_outside(sandbox: Sandbox, active: Caller, path: str) -> None:
    active.pay()
    answer = requests.get(sandbox.app_url + path, timeout=5)
    assert answer.status_code == 200
    addresses = re.findall(r'(?:src|href|action)="([^"]+)"', answer.text)
    assert all(item.startswith(("/", sandbox.portal_url)) for item in addresses)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_the_owner_can_pay_freeze_and_uninstall_on_the_locations_page(sandbox: Sandbox, active: Caller) -> None:
    for action, status in (("freeze", "freezed"), ("pay", "active"), ("uninstall", "uninstalled")):
        address = f"{sandbox.app_url}/locations/{LONDON}/{action}/"
        requests.post(address, data={"application": 1}, timeout=5)
        assert sandbox.status_of(LONDON) == status


def test_a_bad_day_is_chosen_on_the_faults_page(sandbox: Sandbox, altegio: Caller) -> None:
    requests.post(f"{sandbox.app_url}/faults/add/", data={"day": 0, "times": 1}, timeout=5)
    assert altegio.status().status_code == 503
    assert altegio.status().status_code == 404
