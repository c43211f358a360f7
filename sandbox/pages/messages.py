"""The page of messages that Altegio sends through the partner: send some, and see their statuses come back."""

from __future__ import annotations

from sandbox.core import SandboxCore
from sandbox.messages import DEFAULT_TEXT
from sandbox.models import Connection, Message
from sandbox.pages.markup import NOTHING, Html, join, page, pill, render
from sandbox.pages.visit import Visit
from sandbox.settings import CHANNEL_NAMES, DESTINATIONS, ID_NAMES, PHONE_NAMES
from sandbox.wire import Response, redirect

HERE = "/messages/"
SHOWN, MAX_AT_ONCE = 100, 1000
STATUSES = {
    1: "delivered",
    2: "not delivered",
    4: "sent to phone",
    8: "handed to the operator",
    16: "rejected",
    52: "not enough funds",
}
SWITCHES = {
    "message_destinations": ("destination_params", DESTINATIONS),
    "message_id_name": ("the id's name", ID_NAMES),
    "message_phone_name": ("the number's name", PHONE_NAMES),
    "message_channel_name": ("the channel's name", CHANNEL_NAMES),
}

PAGE = """<h1>Messages</h1><p class="lead">Altegio sends text messages through the partner, and waits for their
statuses. <a class="button small" href="/messages/">Refresh</a></p>
<section class="card"><h2>Send</h2>{form}</section>
<section class="card"><h2>As no source says for sure</h2>
<form method="post" action="/messages/switches/" class="buttons fields">{switches}
<button class="quiet">Set</button></form></section>
<section class="card"><h2>Sent <small>{count}</small></h2>{check}<ul class="lines">{rows}</ul></section>"""

FORM = """<form method="post" action="/messages/" class="buttons fields">
<label>Through <select name="place">{places}</select></label>
<label>From <input name="sender" value="Aurora" maxlength="20"></label>
<label class="long">Text <input name="text" value="{text}"></label>
<label>How many <input type="number" name="count" value="1" min="1" max="{most}"></label>
<button>Send</button></form>"""
NOBODY = Html("<p><small>Nobody has connected an application that was given a key for messages.</small></p>")
OPTION = '<option value="{value}"{selected}>{words}</option>'
SWITCH = '<label>{words} <select name="{name}">{options}</select></label>'
ROW = """<li><b>{id}</b> {outcome}{statuses}<br>to {phone} at {at}, location {location}{why}<br>
<small>{text}</small></li>"""


def show(sandbox: SandboxCore, visit: Visit) -> Response:
    del visit
    with sandbox.world.lock:
        messages = list(sandbox.world.state.messages)
        statuses: dict[str, list[int]] = {}
        for item in sandbox.world.state.sms_statuses:
            statuses.setdefault(str(item["id"]), []).append(item["status"])
        content = render(
            PAGE,
            form=_form(sandbox),
            switches=join(_switch(sandbox, name) for name in SWITCHES),
            count=f"{len(messages):,}",
            check=_check(messages),
            rows=join(_row(item, statuses.get(item.id, [])) for item in reversed(messages[-SHOWN:])),
        )
    return page("Messages", content, here=HERE)


def send(sandbox: SandboxCore, visit: Visit) -> Response:
    location_id, _, application_id = visit.text("place").partition("-")
    count = min(max(visit.number("count", 1) or 1, 1), MAX_AT_ONCE)
    text, sender = visit.text("text", DEFAULT_TEXT), visit.text("sender", "Aurora")
    sandbox.send_messages(int(location_id), int(application_id), count=count, text=text, sender=sender)
    return redirect(303, HERE)


def switch(sandbox: SandboxCore, visit: Visit) -> Response:
    sandbox.configure(**{name: visit.text(name) for name in SWITCHES if visit.text(name)})
    return redirect(303, HERE)


def _form(sandbox: SandboxCore) -> Html:
    connections = [item for item in sandbox.world.state.connections if item.api_key]
    if not connections:
        return NOBODY
    places = join(_option(f"{item.location_id}-{item.application_id}", _place(sandbox, item)) for item in connections)
    return render(FORM, places=places, text=DEFAULT_TEXT, most=MAX_AT_ONCE)


def _place(sandbox: SandboxCore, connection: Connection) -> str:
    names = (
        sandbox.world.location(connection.location_id).title,
        sandbox.world.application(connection.application_id).name,
    )
    return f"{' · '.join(names)} ({connection.status})"


def _switch(sandbox: SandboxCore, name: str) -> Html:
    words, choices = SWITCHES[name]
    chosen = getattr(sandbox.settings, name)
    return render(
        SWITCH, name=name, words=words, options=join(_option(item, item, item == chosen) for item in choices)
    )


def _option(value: str, words: str, selected: bool = False) -> Html:
    return render(OPTION, value=value, words=words, selected=Html(" selected") if selected else NOTHING)


def _check(messages: list[Message]) -> Html:
    """Say whether everything that the portal answered is as documented."""
    wrong = sum(bool(item.problem) for item in messages)
    if not messages:
        return Html("<p><small>Nothing yet.</small></p>")
    words = f"Not as documented: {wrong} of the answers." if wrong else "Every answer is as documented."
    return render("<p>{sign} {words}</p>", sign=pill("refunded" if wrong else "active", "check"), words=words)


def _row(message: Message, statuses: list[int]) -> Html:
    return render(
        ROW,
        id=message.id,
        outcome=_outcome(message),
        statuses=join(Html(f" {_status(number)}") for number in statuses),
        why=render("<br>{words}", words=why) if (why := message.problem or message.refusal) else NOTHING,
        phone=f"+{message.phone}",
        at=message.at[11:19],
        location=message.location_id,
        text=message.text,
    )


def _status(number: int) -> Html:
    return pill("active" if number == 1 else "pending", STATUSES[number])


def _outcome(message: Message) -> Html:
    if message.problem:
        return pill("refunded", "not as documented")
    if message.refusal:
        return pill("freezed", "not sent")
    return pill("active", f"taken as {message.ext_id}") if message.ext_id else pill("pending", "on its way")
