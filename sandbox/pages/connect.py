"""The first page: choose an application, places and a person, and press Connect (docs/altegio.md §1)."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.desk import Desk
from sandbox.models import Application, Connection, Kind, Location, User
from sandbox.pages.markup import NOTHING, Html, icon, join, page, pill, render
from sandbox.pages.visit import Visit
from sandbox.settings import ARRIVAL_FORMS
from sandbox.wire import Response, redirect

SHOWN_IN_A_CHAIN = 12
# Of chains, single locations and people so many stand open; the others can be unfolded.
SHOWN = 12
BIG_CHAIN = 1500
FORM_WORDS = {
    "brackets": "salon_ids[]=1&salon_ids[]=2",
    "comma": "salon_ids=1,2",
    "indexed": "salon_ids[0]=1&salon_ids[1]=2",
}

PAGE = """
<form method="post" action="/" class="shop" id="connect">
<div class="choose">
<h1>Connect an application</h1>
<p class="lead">You are a salon owner on Altegio. Press <b>Connect</b> and you arrive at the portal.</p>
<fieldset><legend>Application</legend><div class="apps">{applications}</div></fieldset>
<fieldset><legend>Locations</legend>{groups}</fieldset>
</div>
<aside class="card order">
<div class="go"><p id="summary" aria-live="polite"></p><button class="connect">Connect</button></div>
<fieldset><legend>You are</legend><div class="people">{people}</div></fieldset>
<label class="switch"><input type="checkbox" name="share" value="1" checked><span></span>
<b>Share my personal data</b></label>
<details><summary>How several locations are sent</summary>{forms}</details>
<details><summary>A very large chain</summary>
<button class="quiet" form="chain">Make a chain of 1,500 locations</button></details>
</aside>
</form>
<form method="post" action="/chains/" id="chain"></form>
"""

APPLICATION = """<label class="app">
<input type="radio" name="application" value="{id}" data-name="{name}"{checked}>
<span class="face">{icon}<b>{name}</b><small>{by}{summary}</small></span></label>"""

PERSON = """<label class="person"><input type="radio" name="user" value="{id}"{checked}>
<span class="face"><i aria-hidden="true">{initials}</i>
<span><b>{name}</b><small>{email}</small></span></span></label>"""

GROUP = """<section class="card group">
<h2><label><input type="checkbox" name="chain" value="{id}" data-count="{count}"> {title}</label>
<small>{words} locations</small></h2>
<ul>{rows}</ul>{more}</section>"""

SINGLES = '<section class="card group"><h2>On their own</h2>{rows}</section>'

FOLDED = """<{tag}>{open}</{tag}><details><summary>{n} more</summary><{tag}>{folded}</{tag}></details>"""

ROW = """<li><label><input type="checkbox" name="location" value="{id}"{checked}>
<span><b>{title}</b><small>{city}, {country} · {id}</small></span></label>
<span class="state">{pills}
<a href="/locations/{id}/" aria-label="Details of {title}">Details</a></span></li>"""

FORM = """<label class="line"><input type="radio" name="form" value="{form}"{checked}>
<code>{words}</code></label>"""

RECONNECT = """<section class="card alone"><div class="badge">{icon}</div>
<h1>{name}</h1><p class="lead">{title}<br><small>{city}, {country}</small></p>{pills}
<form method="post" action="/">
<input type="hidden" name="application" value="{application}">
<input type="hidden" name="location" value="{id}">
<div class="people row">{people}</div>
<label class="switch"><input type="checkbox" name="share" value="1" checked><span></span>
<b>Share my personal data</b></label>
<button class="connect">Connect</button></form></section>"""


def show(desk: Desk, visit: Visit) -> Response:
    del visit
    with desk.world.lock:
        world = desk.world
        chosen = _first_free(desk)
        groups = [_group(desk, chain.id, chain.title, chosen) for chain in world.state.chains]
        singles = [_row(desk, item, chosen) for item in world.locations_of(None)]
        content = render(
            PAGE,
            applications=join(_application(desk, item) for item in world.state.applications),
            groups=join([_folded(groups, "div"), render(SINGLES, rows=_folded(singles, "ul"))]),
            people=_people(world.state.users),
            forms=_forms(desk.settings.arrival_form),
        )
    return page("Connect", content, here="/", kind="shopping", script="connect.js")


def press(desk: Desk, visit: Visit) -> Response:
    """Consent is given, and the browser goes to the portal."""
    application_id = visit.number("application", desk.application_id) or desk.application_id
    user_id = visit.number("user")
    with desk.world.lock:
        location_ids = _chosen(desk, visit)
        _check_choice(desk, application_id, location_ids)
        desk.grant(location_ids, application_id, user_id)
        shared = user_id if visit.text("share") else None
        address = desk.arrival_url(location_ids, application_id, shared, visit.text("form") or None)
    return redirect(303, address)


def make_chain(desk: Desk, visit: Visit) -> Response:
    del visit
    desk.add_chain(BIG_CHAIN)
    return redirect(303, "/")


def reconnect(desk: Desk, visit: Visit) -> Response:
    """The application's page for one location, where an owner connects it again."""
    with desk.world.lock:
        application = desk.world.application(visit.part("application"))
        location = desk.world.location(visit.part("location"))
        connection = desk.world.connection(application.id, location.id)
        content = render(
            RECONNECT,
            icon=_face(desk, application),
            name=application.name,
            title=location.title,
            city=location.city,
            country=location.country,
            pills=_pills(desk, location),
            application=application.id,
            id=location.id,
            people=_people(desk.world.state.users, connection.user_id if connection else None),
        )
    return page(application.name, content)


def _chosen(desk: Desk, visit: Visit) -> list[int]:
    """The ticked locations with all of the ticked chains, in the order of the page."""
    ticked, chains = set(visit.numbers("location")), set(visit.numbers("chain"))
    return [item.id for item in desk.world.state.locations if item.id in ticked or item.chain_id in chains]


def _check_choice(desk: Desk, application_id: int, location_ids: list[int]) -> None:
    if not location_ids:
        raise ValueError("Choose a location first.")
    chains = {desk.world.location(item).chain_id for item in location_ids}
    if desk.world.application(application_id).kind is Kind.TELEPHONY and len(chains) > 1:
        raise ValueError("Telephony is connected for one chain at a time.")


def _first_free(desk: Desk) -> int:
    """The first location the default application is not connected to."""
    locations = desk.world.state.locations
    for location in locations:
        connection = desk.world.connection(desk.application_id, location.id)
        if connection is None or not connection.is_installed:
            return location.id
    return locations[0].id


def _application(desk: Desk, application: Application) -> Html:
    return render(
        APPLICATION,
        id=application.id,
        name=application.name,
        summary=application.summary,
        icon=_face(desk, application),
        by=f"{desk.partner.name} · " if desk.partner.name else "",
        checked=_checked(application.id == desk.application_id),
    )


def _face(desk: Desk, application: Application) -> Html:
    """What stands for an application: its partner's logo, or a drawing of what it does."""
    return (
        icon(application.kind) if desk.partner.logo is None else Html('<img class="icon" src="/partner-logo" alt="">')
    )


def logo(desk: Desk, visit: Visit) -> Response:
    del visit
    if desk.partner.logo is None:
        raise ValueError("This partner has no logo.")
    kind = "image/png" if desk.partner.logo.suffix == ".png" else "image/svg+xml"
    return Response(200, desk.partner.logo.read_bytes(), kind, {"Cache-Control": "no-cache"})


def _people(users: Sequence[User], chosen: int | None = None) -> Html:
    chosen = chosen or users[0].id
    cards = [
        render(
            PERSON,
            id=user.id,
            name=user.name,
            email=user.email,
            initials="".join(word[0] for word in user.name.split()[:2]),
            checked=_checked(user.id == chosen),
        )
        for user in users
    ]
    return _folded(cards, "div")


def _folded(items: Sequence[Html], tag: str) -> Html:
    """The first ones in an element of this name, the rest behind a word."""
    tag, hidden = Html(tag), len(items) - SHOWN
    if hidden <= 0:
        return render("<{tag}>{open}</{tag}>", tag=tag, open=join(items))
    return render(FOLDED, tag=tag, open=join(items[:SHOWN]), n=f"{hidden:,}", folded=join(items[SHOWN:]))


def _group(desk: Desk, chain_id: int, title: str, chosen: int) -> Html:
    locations = desk.world.locations_of(chain_id)
    hidden = len(locations) - SHOWN_IN_A_CHAIN
    more = render("<p><small>and {n} more, with the whole chain</small></p>", n=f"{hidden:,}")
    return render(
        GROUP,
        id=chain_id,
        title=title,
        count=len(locations),
        words=f"{len(locations):,}",
        rows=join(_row(desk, item, chosen) for item in locations[:SHOWN_IN_A_CHAIN]),
        more=more if hidden > 0 else NOTHING,
    )


def _row(desk: Desk, location: Location, chosen: int) -> Html:
    return render(
        ROW,
        id=location.id,
        title=location.title,
        city=location.city,
        country=location.country,
        pills=_pills(desk, location),
        checked=_checked(location.id == chosen),
    )


def _pills(desk: Desk, location: Location) -> Html:
    found = [desk.world.connection(item.id, location.id) for item in desk.world.state.applications]
    return join(_pill(desk, item) for item in found if item is not None and item.is_current)


def _pill(desk: Desk, connection: Connection) -> Html:
    name = desk.world.application(connection.application_id).name
    return pill(connection.status, f"{name} {connection.status}")


def _forms(chosen: str) -> Html:
    return join(
        render(FORM, form=form, words=FORM_WORDS[form], checked=_checked(form == chosen)) for form in ARRIVAL_FORMS
    )


def _checked(yes: bool) -> Html:
    return Html(" checked") if yes else NOTHING
