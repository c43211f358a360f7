"""Webhooks of known exchanges become calls by their mappings (docs/exchanges.md), which staff can write and test."""

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from django.test import Client

from accounts.models import ApiKey
from integrations.connections.models import Chain, Location
from integrations.telephony.exchange_form import ExchangeWebhookForm, tried
from integrations.telephony.exchange_lines import read_rule, write_rule
from integrations.telephony.exchange_mappings import InvalidMappingError, apply_mapping, check_mapping
from integrations.telephony.exchange_presets import PRESETS, TITLES
from integrations.telephony.exchange_webhooks import read_webhook_body
from integrations.telephony.models import ExchangeWebhook, PhoneCall
from partner_portal.core.clean import InvalidJsonError
from partner_portal.core.media_types import keep_plain
from sandbox import Sandbox
from tests.not_none import not_none
from tests.response import Api
from tests.working import Work

CLIENT, LINE = "+380671234567", "+380445370000"
FREESWITCH = {
    "core-uuid": "c9f8",
    "variables": {
        "uuid": "7c1e-55",
        "direction": "inbound",
        "call_direction": "inbound",
        "sip_to_user": "380445370000",
        "billsec": "65",
        "duration": "71",
        "hangup_cause": "NORMAL_CLEARING",
        "start_epoch": "1795522200",
        "last_sent_callee_id_number": "102",
    },
    "callflow": [{"caller_profile": {"caller_id_number": "0671234567", "destination_number": "600"}}],
}
FREESWITCH_OUT = {
    "variables": {"uuid": "7c1e-56", "call_direction": "outbound", "billsec": "0", "start_epoch": "1795522200"},
    "callflow": [{"caller_profile": {"caller_id_number": "101", "destination_number": "0671234567"}}],
}
TWILIO = {
    "CallSid": "CA1",
    "From": "+380671234567",
    "To": "+380445370000",
    "Direction": "inbound",
    "CallStatus": "no-answer",
    "CallDuration": "0",
    "Timestamp": "Tue, 24 Nov 2026 12:10:00 +0000",
}
ZADARMA = {
    "event": "NOTIFY_END",
    "pbx_call_id": "in_1",
    "caller_id": "380671234567",
    "called_did": "380445370000",
    "internal": "102",
    "duration": "65",
    "disposition": "answered",
    "call_start": "2026-11-24 14:10:00",
}
BINOTEL = {
    "requestType": "apiCallCompleted",
    "callDetails[generalCallID]": "5001",
    "callDetails[callType]": "0",
    "callDetails[externalNumber]": "0671234567",
    "callDetails[didNumber]": "0445370000",
    "callDetails[internalNumber]": "102",
    "callDetails[disposition]": "ANSWER",
    "callDetails[billsec]": "65",
    "callDetails[startTime]": "1795522200",
}
AT = "2026-11-24T12:10:00+00:00"
OF_3CX = {"[CallType]": "Missed", "[Number]": "0671234567", "[Agent]": "102", "[Duration]": "00:00:00"}


def reported_by_3cx(variables: dict[str, str]) -> dict[str, str]:
    """Return what 3CX makes of the template with these variables."""
    template = ElementTree.parse(Path(__file__).parents[2] / "examples" / "3cx.xml")
    values = template.iterfind(".//Scenario[@Id='ReportCall']/Request/PostValues/Value")
    return {value.attrib["Key"]: variables.get(value.text or "", "2026-11-24T12:10:00Z") for value in values}


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        pytest.param("freeswitch", FREESWITCH, ("incoming", LINE, "success", 65), id="FreeSWITCH, incoming"),
        pytest.param("freeswitch", FREESWITCH_OUT, ("outgoing", "101", "missed", 0), id="FreeSWITCH, outgoing"),
        pytest.param("twilio", urlencode(TWILIO), ("incoming", LINE, "missed", 0), id="Twilio"),
        pytest.param("zadarma", urlencode(ZADARMA), ("incoming", LINE, "success", 65), id="Zadarma"),
        pytest.param("binotel", urlencode(BINOTEL), ("incoming", LINE, "success", 65), id="Binotel"),
        pytest.param("3cx", reported_by_3cx(OF_3CX), ("incoming", "102", "missed", 0), id="3CX, missed"),
        pytest.param(
            "3cx",
            reported_by_3cx(OF_3CX | {"[CallType]": "Outbound", "[Duration]": "00:01:05"}),
            ("outgoing", "102", "success", 65),
            id="3CX, outgoing",
        ),
    ],
)
@pytest.mark.django_db
def test_a_webhook_of_an_exchange_becomes_a_call(
    api: Api, client: Client, altegio: Sandbox, telephony: Chain, work: Work, name: str, body: Any, expected: Any
) -> None:
    api("put", "locations/10101/lines/", {"country": "UA", "time_zone": "Europe/Kyiv"})
    location = Location.objects.get(altegio_id=10101)
    ExchangeWebhook.objects.create(name=name, location=location, mapping=PRESETS[name])
    _key, secret = ApiKey.objects.create_key(name="pbx", scopes=["telephony"])
    basic = base64.b64encode(f"pbx:{secret}".encode()).decode()
    answer = client.post(
        f"/api/v1/telephony/exchanges/{name}/",
        data=body if isinstance(body, str) else json.dumps(body),
        content_type="application/x-www-form-urlencoded",  # whatever it is
        headers={"Authorization": f"Basic {basic}"},
    )
    assert (answer.status_code, answer.json()["warnings"]) == (202, [])
    work()
    call = PhoneCall.objects.get()
    assert (call.state, call.phone, not_none(call.date).isoformat()) == ("saved", CLIENT, AT)
    assert (call.type, call.diversion, call.status, call.duration) == expected


def test_an_event_before_the_end_of_a_zadarma_call_stores_none(api: Api, telephony: Chain) -> None:
    ExchangeWebhook.objects.create(name="zadarma", mapping=PRESETS["zadarma"] | {"salon_id": {"value": 10101}})
    begun = {name: ZADARMA[name] for name in ("pbx_call_id", "caller_id", "called_did", "call_start")}
    answer = api("post", "telephony/exchanges/zadarma/", begun | {"event": "NOTIFY_START"})
    assert (answer.status_code, list(answer.json())) == (400, ["type"])
    assert "mapping of the webhook zadarma finds none" in " ".join(answer.json()["type"])
    assert not PhoneCall.objects.exists()


def test_the_agents_leg_of_a_twilio_call_stores_none_and_blocks_nothing(
    api: Api, client: Client, telephony: Chain
) -> None:
    place = {"salon_id": {"value": 10101}}
    ExchangeWebhook.objects.create(name="twilio", mapping=PRESETS["twilio"] | place)
    leg = {"CallSid": "CA2", "ParentCallSid": "CA1", "Direction": "outbound-dial", "To": "+380501112233"}
    agents = api("post", "telephony/exchanges/twilio/", TWILIO | leg | {"CallStatus": "completed"})
    assert (agents.status_code, list(agents.json())) == (400, ["type"])
    clients = api("post", "telephony/exchanges/twilio/", TWILIO)
    assert (clients.status_code, clients.json()["phone"]) == (202, CLIENT)
    assert PhoneCall.objects.get().call_id == "CA1"


ENDED = {
    "call_id": {"path": "id"},
    "type": {"value": "incoming"},
    "phone": "from",
    "diversion": {"value": "101"},
    "user": "agent",
    "link": "link",
    "salon_id": {"value": 10101},
}
FORM = f"id=5&from=%2B{CLIENT[1:]}"
NAME = "Яна"
WINDOWS = "application/x-www-form-urlencoded; charset=windows-1251"


@pytest.mark.parametrize(
    ("body", "announced", "read"),
    [
        (f"{FORM}&agent={NAME}".encode(), "text/plain", NAME),
        (f"{FORM}&agent={NAME}&".encode(), "text/plain", NAME),
        (f"{FORM}&agent={NAME}&hangup&".encode(), "text/plain", NAME),
        (f"{FORM}&agent={NAME}".encode("cp1251"), WINDOWS, NAME),
        (f"{FORM}&agent=%DF%ED%E0".encode(), WINDOWS, NAME),
        (f"{FORM}&agent={NAME}".encode(), WINDOWS, NAME),
        (f"{FORM}&agent=Anna\xff".encode("latin-1"), "text/plain", "Anna\ufffd"),
        (f"{FORM}&agent=Anna%FF".encode(), "text/plain", "Anna\ufffd"),
        (f"{FORM}&agent=Anna\xff".encode("latin-1"), "text/plain; charset=zip", "Anna\ufffd"),
        (f"{FORM}&agent=Anna\xff".encode("latin-1"), "text/plain; charset=punycode", "Anna\ufffd"),
        (f'{{"id": 5, "from": "{CLIENT}", "agent": "x", "agent": "{NAME}"}}'.encode(), "text/plain", NAME),
        (f'{{"id": 5, "from": "{CLIENT}", "agent": "{NAME}\n"}}'.encode(), "text/plain", NAME),
        (f'{{"id": 5, "from": "{CLIENT}", "agent": "{NAME}", "cost": NaN}}'.encode(), "text/plain", NAME),
        (f'{{"id": 5, "from": "{CLIENT}", "agent": "{NAME}"}}'.encode("cp1251"), WINDOWS, NAME),
    ],
)
@pytest.mark.django_db
def test_no_call_is_lost_because_of_its_webhooks_encoding(
    client: Client, telephony: Chain, body: bytes, announced: str, read: str
) -> None:
    ExchangeWebhook.objects.create(name="pbx", mapping=ENDED)
    _key, secret = ApiKey.objects.create_key(name="pbx", scopes=["telephony"])
    headers = {"Authorization": f"Api-Key {secret}"}
    environ: dict[str, Any] = {"CONTENT_TYPE": announced}
    keep_plain(environ)
    answer = client.generic("POST", "/api/v1/telephony/exchanges/pbx/", body, headers=headers, **environ)
    assert (answer.status_code, answer.json()["user"], answer.json()["phone"]) == (202, read, CLIENT)


@pytest.mark.parametrize(
    "body",
    [
        f"{FORM}&link=https%3A%2F%2Fpbx.example.com%2F1.mp3%00",
        "".join(
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in (("id", "5"), ("from", CLIENT), ("link", "https://pbx.example.com/1.mp3\0"))
        )
        + "--b--\r\n",
        json.dumps({"id": "5", "from": CLIENT, "link": "https://pbx.example.com/1.mp3\0"}),
    ],
    ids=["form", "parts", "JSON"],
)
@pytest.mark.django_db
def test_text_that_no_database_stores_is_left_out(client: Client, telephony: Chain, body: str) -> None:
    ExchangeWebhook.objects.create(name="pbx", mapping=ENDED)
    _key, secret = ApiKey.objects.create_key(name="pbx", scopes=["telephony"])
    headers = {"Authorization": f"Api-Key {secret}"}
    answer = client.post("/api/v1/telephony/exchanges/pbx/", body, content_type="text/plain", headers=headers)
    assert (answer.status_code, [item["field"] for item in answer.json()["warnings"]]) == (202, ["link"])


@pytest.mark.django_db
def test_a_ringing_call_is_shown(api: Api, altegio: Sandbox, telephony: Chain, work: Work) -> None:
    mapping = {"phone": "from", "diversion": {"value": "101"}, "salon_id": "place"}
    ExchangeWebhook.objects.create(name="ringing", rings=True, mapping=mapping)
    answer = api("post", "telephony/exchanges/ringing/", {"from": CLIENT, "place": 10101})
    assert answer.status_code == 202
    work()
    assert [entry["phone"] for entry in altegio.telephony() if entry["command"] == "event"] == [CLIENT]


def test_a_refusal_points_to_the_mapping_only_if_it_found_nothing(api: Api, telephony: Chain) -> None:
    mapping = {"phone": "from", "diversion": "to", "salon_id": {"value": 10101}}
    ExchangeWebhook.objects.create(name="ringing", rings=True, mapping=mapping)
    answer = api("post", "telephony/exchanges/ringing/", {"from": "nobody"})
    assert answer.status_code == 400
    phone, diversion = (answer.json()[name] for name in ("phone", "diversion"))
    assert (len(phone), len(diversion)) == (1, 2)
    assert "The mapping of the webhook ringing" in diversion[1]


ECHO = "/api/v1/telephony/exchanges/x/"


@pytest.mark.django_db
def test_an_address_is_proven_by_an_echo_without_a_key(client: Client) -> None:
    answer = client.get(ECHO, {"zd_echo": "1762a_B-9"})
    assert (answer.status_code, answer.content) == (200, b"1762a_B-9")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("echo", ["", "<b>", "a b", "a\n", "١٢", "a" * 101])
@pytest.mark.django_db
def test_only_a_word_is_echoed(client: Client, echo: str) -> None:
    assert client.get(ECHO, {"zd_echo": echo}).status_code == 401
    assert client.post(f"{ECHO}?zd_echo=1", {}).status_code == 401


@pytest.mark.parametrize("body", [b"", b"hello", b'{"a": ', b"\xff"])
@pytest.mark.django_db
def test_a_body_neither_json_nor_a_form_is_refused(api: Api, client: Client, body: Any) -> None:
    ExchangeWebhook.objects.create(name="x", mapping={"phone": "from"})
    _key, secret = ApiKey.objects.create_key(name="pbx", scopes=["telephony"])
    headers = {"Authorization": f"Api-Key {secret}"}
    answer = client.post("/api/v1/telephony/exchanges/x/", body, content_type="text/plain", headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic !", "Basic cGJ4Og==", "Basic cGJ4OndvcmQ="])
@pytest.mark.django_db
def test_without_the_key_nothing_is_accepted(client: Client, authorization: str) -> None:
    ExchangeWebhook.objects.create(name="x", mapping={"phone": "from"})
    headers = {"Authorization": authorization}
    answer = client.post("/api/v1/telephony/exchanges/x/", "{}", content_type="application/json", headers=headers)
    assert answer.status_code == 401


@pytest.mark.django_db
def test_an_exchange_that_waits_for_a_password_prompt_gets_one(client: Client) -> None:
    answer = client.post("/api/v1/telephony/exchanges/x/", "a=1", content_type="text/plain")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="portal"'
    assert "Basic authentication" in answer.json()["detail"]


def test_a_wrong_mapping_name_is_reported(api: Api) -> None:
    answer = api("post", "telephony/exchanges/nobody/", {})
    assert (answer.status_code, "under Integrations" in answer.json()["detail"]) == (404, True)


PARTS = '--{0}\r\nContent-Disposition: form-data; name="a[b]"\r\n\r\nЯ=1&x\r\n--{0}--\r\n'
FILE = '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n12\r\n'


@pytest.mark.parametrize(
    "body", [PARTS.format("b"), PARTS.format("-" * 24 + "1f"), f"\n{PARTS.format('b')}", FILE + PARTS.format("b")]
)
def test_a_form_in_parts_is_read(body: str) -> None:
    assert read_webhook_body(body.encode()) == {"a": {"b": "Я=1&x"}}


@pytest.mark.parametrize(
    "body",
    [
        "--",
        "--\r\n",
        "--б\r\n",
        "--b",
        f"--{'b' * 300}\r\n",
        PARTS.format("b") * 1100,
        FILE * 101 + PARTS.format("b"),
    ],
)
def test_a_body_that_only_begins_like_a_multipart_form_is_refused(body: str) -> None:
    with pytest.raises(InvalidJsonError):
        read_webhook_body(body.encode())


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("a.b", 1),
        ("list[1].x", "y"),
        (["no.such", "a.b"], 1),
        (["empty", "a.b"], 1),
        (["empty", "no"], ""),
        ({"path": "word", "values": {"OK": "success"}}, "success"),
        ({"path": "word", "values": {"BAD": "missed"}}, "OK"),
        ({"path": "a.b", "values": {"1": "one"}}, "one"),
        ({"value": "incoming"}, "incoming"),
        ({"by": "word", "cases": {"OK": "a.b"}}, 1),
        ({"by": "word", "cases": {"BAD": "a.b"}, "otherwise": {"value": "x"}}, "x"),
        ({"by": "yes", "cases": {"true": {"value": "success"}}, "otherwise": {"value": "missed"}}, "success"),
        ({"by": "none", "cases": {"null": {"value": "success"}}, "otherwise": {"value": "missed"}}, "missed"),
        ({"path": "off", "values": {"false": "missed"}}, "missed"),
    ],
)
def test_a_rule_leads_to_a_value(rule: Any, expected: Any) -> None:
    body = {"a": {"b": 1}, "list": [{}, {"x": "y"}], "empty": "", "word": "OK", "yes": True, "off": False}
    check_mapping({"phone": rule}, rings=False)
    assert apply_mapping({"phone": rule}, body) == {"phone": expected}


@pytest.mark.parametrize("rule", ["no", "a.no", "list[9]", "list.²", "a.b.c", {"by": "word", "cases": {}}])
def test_a_path_that_leads_nowhere_leaves_the_field_out(rule: Any) -> None:
    assert apply_mapping({"phone": rule}, {"a": {"b": 1}, "list": [1]}) == {}


@pytest.mark.parametrize(
    "mapping",
    [
        [],
        {},
        {"caller": "a"},
        {"phone": ""},
        {"phone": "a..b"},
        {"phone": "a[x]"},
        {"phone": 5},
        {"phone": []},
        {"phone": {}},
        {"phone": {"path": "a", "values": []}},
        {"phone": {"value": []}},
        {"phone": {"by": "a", "cases": {"x": {"by": "b", "cases": {}}}}},
        {"phone": {"by": "a", "cases": ["x"]}},
        {"phone": "a" * 201},
    ],
)
def test_an_invalid_mapping_is_refused(mapping: Any) -> None:
    with pytest.raises(InvalidMappingError):
        check_mapping(mapping, rings=False)


def test_a_form_may_hold_objects() -> None:
    body = read_webhook_body(b"a%5Bb%5D%5Bc%5D=1&a%5Bd%5D=2&e=&a%5Bb%5D=3")
    assert body == {"a": {"b": "3", "d": "2"}, "e": ""}
    assert read_webhook_body(b"a=1&a%5Bb%5D=2") == {"a": "1"}
    with pytest.raises(InvalidJsonError):
        read_webhook_body(b"&".join(b"a%d=1" % number for number in range(501)))


RULES = [rule for mapping in PRESETS.values() for rule in mapping.values()] + [
    {"path": ["a", "b[0].c"], "values": {"OK": "success", "NO": "missed"}},
    {"by": ["a", "b"], "cases": {"x": {"path": ["c", "d"], "values": {"1": "one"}}, "y": {"value": "z"}}},
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_shown_to_staff_saves_unchanged(rule: Any) -> None:
    assert read_rule(write_rule(rule)) == rule


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ("", None),
        (" call.from \n\n", "call.from"),
        ("call.did\ncall.to", ["call.did", "call.to"]),
        ("call.result\nOK=success", {"path": "call.result", "values": {"OK": "success"}}),
        ("=incoming", {"value": "incoming"}),
        ("if a is x: = y\notherwise: c, d", {"by": "a", "cases": {"x": {"value": "y"}}, "otherwise": ["c", "d"]}),
    ],
)
def test_staff_write_a_rule_in_lines(lines: str, rule: Any) -> None:
    assert read_rule(lines) == rule


@pytest.mark.parametrize(
    "lines", ["OK = success", "if a is x: b\nif c is x: b", "if a is x: b\nc", "if a is x: | b = c"]
)
def test_invalid_lines_of_a_rule_are_refused(lines: str) -> None:
    with pytest.raises(InvalidMappingError):
        read_rule(lines)


ADD = "/admin/telephony/exchangewebhook/add/"


@pytest.mark.parametrize(
    ("direction", "caller", "dialled", "type_"), [("in", CLIENT, LINE, "incoming"), ("out", LINE, CLIENT, "outgoing")]
)
@pytest.mark.django_db
def test_the_example_of_the_page_is_taken_by_the_mapping_beside_it(
    staff: Client, telephony: Chain, direction: str, caller: str, dialled: str, type_: str
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "exchanges.md").read_text(encoding="utf-8")
    staff.get(ADD)  # where the labels are written with a capital
    labels = {field.label: name for name, field in ExchangeWebhookForm.declared_fields.items()}
    rules = re.findall(r"^   \| ([\w' ]+) \| `(.+)` \|$", page, re.MULTILINE)
    form = {labels[label]: "\n".join(lines.split("`, `")) for label, lines in rules}
    staff.post(ADD, {"name": "pbx", "location": "10101", **form})
    fields = re.findall(r'--data-urlencode "(\w+)=\$(\w+)"', page)
    shell = {"CALLER": caller, "DIALLED": dialled, "DIRECTION": direction}
    shell |= {"UNIQUE_ID": "1.5", "BILLSEC": "65", "DISPOSITION": "ANSWERED"}
    body = urlencode({name: shell[variable] for name, variable in fields})
    _key, secret = ApiKey.objects.create_key(name="pbx", scopes=["telephony"])
    answer = staff.post(
        "/api/v1/telephony/exchanges/pbx/",
        body,
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Api-Key {secret}"},
    )
    assert (answer.status_code, answer.json()["warnings"]) == (202, [])
    call = PhoneCall.objects.get()
    assert (call.type, call.phone, call.diversion, call.duration) == (type_, CLIENT, LINE, 65)
    assert (call.call_id, call.status) == ("1.5", "success")


@pytest.mark.django_db
def test_staff_try_a_mapping_before_the_exchange_sends(staff: Client, telephony: Chain) -> None:
    form = {"name": "pbx", "location": "10101", "begin_with": "zadarma"}
    sample = urlencode({**ZADARMA, "duration": "long", "caller_id": CLIENT})
    text = staff.post(ADD, {**form, "sample": sample}, follow=True).content.decode()
    assert CLIENT in text
    assert "Left out. Write seconds" in text
    assert "/api/v1/telephony/exchanges/pbx/" in text
    assert not PhoneCall.objects.exists()
    assert not_none(ExchangeWebhook.objects.get().location).altegio_id == 10101
    assert 'name="location" value="10101"' in text


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.django_db
def test_a_known_exchange_fills_in_what_is_left_empty(staff: Client, telephony: Chain, name: str) -> None:
    staff.post(ADD, {"name": "pbx", "location": "10101", "begin_with": name, "map_user": "agent"})
    assert ExchangeWebhook.objects.get().mapping == PRESETS[name] | {"user": "agent"}
    assert name in TITLES


@pytest.mark.django_db
def test_a_form_that_is_saved_as_it_stands_changes_nothing(staff: Client, telephony: Chain) -> None:
    location = Location.objects.get(altegio_id=10101)
    webhook = ExchangeWebhook.objects.create(name="pbx", location=location, mapping=PRESETS["freeswitch"])
    address = f"/admin/telephony/exchangewebhook/{webhook.pk}/change/"
    form = staff.get(address).context["adminform"].form
    staff.post(address, {name: form[name].value() or "" for name in form.fields})
    webhook.refresh_from_db()
    assert webhook.mapping == PRESETS["freeswitch"]


PARTIES = {"map_phone": "a", "map_diversion": "b"}


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"map_phone": "OK = success"}, ["map_phone"]),
        ({"map_phone": "a..b"}, ["map_phone"]),
        ({"map_phone": "a", "rings": "on", "map_duration": "b"}, ["map_duration"]),
        ({}, ["__all__"]),
        ({"location": "10101", **PARTIES}, ["map_type"]),
        ({"location": "10101", "map_type": "= incoming"}, ["map_phone", "map_diversion"]),
        ({"location": "10101", "rings": "on", "map_phone": "a"}, ["map_diversion"]),
        ({"map_type": "= incoming", **PARTIES}, ["location"]),
        ({"name": "my pbx", "location": "10101", "begin_with": "zadarma"}, ["name"]),
    ],
)
@pytest.mark.django_db
def test_an_error_is_shown_at_its_field(
    staff: Client, telephony: Chain, given: dict[str, str], fields: list[str]
) -> None:
    form = staff.post(ADD, {"name": "pbx", **given}).context["adminform"].form
    assert list(form.errors) == fields
    assert "slug" not in str(form.errors)
    assert not ExchangeWebhook.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        {"rings": "on", "location": "10101", **PARTIES},
        {"map_type": "= incoming", "map_salon_id": "place", **PARTIES},
        {"map_type": "= incoming", "map_salon_group_id": "place", **PARTIES},
    ],
)
@pytest.mark.django_db
def test_the_required_fields_are_enough(staff: Client, telephony: Chain, given: dict[str, str]) -> None:
    assert staff.post(ADD, {"name": "pbx", **given}).status_code == 302


def test_a_value_is_shown_as_a_mapping_names_it() -> None:
    found = tried({"status": "answered", "user": "by"}, '{"answered": true, "by": null}', None, rings=False)[0]
    assert found.endswith("status true · user null")
