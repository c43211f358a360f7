"""A location's page at Altegio: its connections, payments and history."""

from __future__ import annotations

from datetime import datetime

from sandbox.core import SandboxCore
from sandbox.models import Application, Connection, LogEntry, Payment, Status
from sandbox.pages.markup import NOTHING, Html, icon, join, page, pill, render
from sandbox.pages.visit import Visit
from sandbox.wire import Response, format_moment, redirect

PAGE = """<p class="crumbs"><a href="/">All locations</a></p>
<h1>{title}</h1><p class="lead">{address}, {city}, {country}<br>
<small>{chain} · id {id} · {phone} · {email} · {zone}</small></p>
<div class="cards">{cards}</div>"""

CARD = """<section class="card connection">
<h2>{icon} {name} {pill}</h2>{facts}{buttons}{chat}{payments}{logs}</section>"""

FACTS = """<dl><div><dt>Consent</dt><dd>{consent}</dd></div><div><dt>Trial until</dt><dd>{trial}</dd></div>
<div><dt>Paid until</dt><dd>{paid}</dd></div>{extra}</dl>"""
FACT = "<div><dt>{name}</dt><dd>{value}</dd></div>"

BUTTONS = """<form method="post" class="buttons">
<input type="hidden" name="application" value="{application}">
<input type="hidden" name="option" value="{option}">
{first}{rest}</form>"""

CHAT = '<h3>Chat</h3><ul class="lines">{rows}</ul>'
CHAT_MESSAGE = "<li><b>{name}</b> <small>{phone}</small><br>{message}</li>"
PAYMENTS = '<h3>Payments</h3><ul class="lines">{rows}</ul>'
PAYMENT = "<li><b>{total} {currency}</b>{refunded}<br>{start} to {end}<br><small>id {id}, paid {at}</small></li>"
LOGS = '<details><summary>What happened</summary><ul class="lines">{rows}</ul></details>'
LOG = "<li><small>{at}</small> {before} → <b>{after}</b> <small>by {source}</small></li>"


def show(sandbox: SandboxCore, visit: Visit) -> Response:
    with sandbox.world.lock:
        location = sandbox.world.location(visit.part("location"))
        chain = sandbox.world.chains.get(location.chain_id or 0)
        content = render(
            PAGE,
            id=location.id,
            title=location.title,
            address=location.address,
            city=location.city,
            country=location.country,
            phone=f"+{location.phone}",
            email=location.email,
            zone=location.timezone_name,
            chain=f"{chain.title}, chain {chain.id}" if chain else "no chain",
            cards=join(_card(sandbox, item, location.id, visit) for item in sandbox.world.state.applications),
        )
    return page(location.title, content)


def act(sandbox: SandboxCore, visit: Visit) -> Response:
    """Uninstall, freeze or pay, as Altegio or the owner does."""
    location_id, application_id = visit.part("location"), visit.number("application")
    action = visit.parts["action"]
    if action == "pay":
        sandbox.pay(location_id, application_id, tariff_option_id=visit.number("option"))
    elif action == "freeze":
        sandbox.freeze(location_id, application_id)
    else:
        sandbox.uninstall(location_id, application_id)
    return redirect(303, f"/locations/{location_id}/")


def _card(sandbox: SandboxCore, application: Application, location_id: int, visit: Visit) -> Html:
    connection = sandbox.world.connection(application.id, location_id)
    return render(
        CARD,
        icon=icon(application.kind),
        name=application.name,
        pill=pill(connection.status) if connection else pill("none", "not connected"),
        facts=_facts(sandbox, connection) if connection and connection.is_current else NOTHING,
        buttons=_buttons(application, connection, location_id, visit),
        chat=_chat(connection.chat_messages) if connection and connection.chat_messages else NOTHING,
        payments=_payments(sandbox, connection.payments) if connection and connection.payments else NOTHING,
        logs=_logs(sandbox, connection.logs) if connection else NOTHING,
    )


def _facts(sandbox: SandboxCore, connection: Connection) -> Html:
    extra = {
        "Sender names": ", ".join(connection.short_names),
        "Chat panel": connection.chat_panel or "",
        "Chats that stand out": ", ".join(connection.chat_highlights),
        "Channels": ", ".join(name for name, is_on in connection.channels.items() if is_on),
        "Discount": f"{connection.discount} %" if connection.discount is not None else "",
        "Event addresses": str(len(connection.webhook_urls) or ""),
        "API key": "kept" if connection.api_key else "",
    }
    return render(
        FACTS,
        consent=_when(sandbox, connection.created_at),
        trial=_when(sandbox, connection.trial_ends_at),
        paid=_when(sandbox, connection.paid_until()),
        extra=join(render(FACT, name=name, value=value) for name, value in extra.items() if value),
    )


def _buttons(application: Application, connection: Connection | None, location_id: int, visit: Visit) -> Html:
    if connection is None or not connection.is_installed:
        path = f"/appstore/{location_id}/applications/{application.id}/info"
        return render('<p class="buttons"><a class="button" href="{path}">Connect</a></p>', path=path)
    settings = render(
        '<a class="button" href="/frame/{at}/{id}/">Open settings</a>', at=location_id, id=application.id
    )
    actions = ["pay", "freeze", "uninstall"] if connection.status is Status.ACTIVE else ["pay", "uninstall"]
    rest = (
        render(
            '<button class="quiet" formaction="/locations/{at}/{do}/">{word}</button>',
            at=location_id,
            do=action,
            word=action.capitalize(),
        )
        for action in actions
        if action != "pay" or application.tariffs
    )
    option = visit.text("tariff_option_id") if visit.number("application_id") == application.id else ""
    return render(BUTTONS, application=application.id, option=option, first=settings, rest=join(rest))


def _chat(messages: list[dict[str, str]]) -> Html:
    rows = (
        render(CHAT_MESSAGE, name=item["name"], phone=item["phone_from"], message=item["message"])
        for item in reversed(messages)
    )
    return render(CHAT, rows=join(rows))


def _payments(sandbox: SandboxCore, payments: list[Payment]) -> Html:
    rows = (
        render(
            PAYMENT,
            id=item.id,
            total=item.payment_sum,
            currency=item.currency_iso,
            start=_when(sandbox, item.period_from)[:10],
            end=_when(sandbox, item.period_to)[:10],
            at=_when(sandbox, item.payment_date),
            refunded=Html(f" {pill('refunded')}") if item.is_refunded else NOTHING,
        )
        for item in reversed(payments)
    )
    return render(PAYMENTS, rows=join(rows))


def _logs(sandbox: SandboxCore, logs: list[LogEntry]) -> Html:
    rows = (
        render(
            LOG,
            at=_when(sandbox, entry.changed_at),
            before=entry.status_from or "nothing",
            after=entry.status_to,
            source=entry.source,
        )
        for entry in reversed(logs)
    )
    return render(LOGS, rows=join(rows))


def _when(sandbox: SandboxCore, moment: datetime | None) -> str:
    return format_moment(moment, sandbox.world.zone) if moment else "not yet"
