"""The demo data: invented businesses in several countries and scripts, people, and three applications."""

from __future__ import annotations

import secrets
from decimal import Decimal

from sandbox.models import Application, Chain, Kind, Location, State, Tariff, TariffOption, User

UK, KAZAKHSTAN, RUSSIA, HUNGARY, PORTUGAL, BRAZIL, USA = (
    ("United Kingdom", "Europe/London"),
    ("Kazakhstan", "Asia/Almaty"),
    ("Russia", "Europe/Moscow"),
    ("Hungary", "Europe/Budapest"),
    ("Portugal", "Europe/Lisbon"),
    ("Brazil", "America/Sao_Paulo"),
    ("United States", "America/New_York"),
)
AURORA, BEAR, SUNSHINE = 501, 502, 503

Place = tuple[int, str, str, str, tuple[str, str], str, str, int | None]
PLACES: tuple[Place, ...] = (
    (10101, "Aurora Covent Garden", "442079460101", "covent", UK, "London", "12 Neal Street", AURORA),
    (10102, "Aurora Ancoats", "441614960102", "ancoats", UK, "Manchester", "7 Cutting Room Square", AURORA),
    (
        10103,
        "Aurora Clifton",
        "441174960103",
        "clifton",
        UK,
        "Bristol",
        "31 Princess Victoria Street",
        AURORA,
    ),
    (10201, "Барбершоп «Медведь» на Арбате", "74955550201", "arbat", RUSSIA, "Москва", "ул. Арбат, 24", BEAR),
    (10202, "Барбершоп «Медведь» Казань", "78435550202", "kazan", RUSSIA, "Казань", "ул. Баумана, 58", BEAR),
    (
        10203,
        "Барбершоп «Медведь» Алматы",
        "77275550203",
        "almaty",
        KAZAKHSTAN,
        "Алматы",
        "пр. Абая, 10",
        BEAR,
    ),
    (
        10301,
        "Napfény Stúdió Belváros",
        "3615550301",
        "belvaros",
        HUNGARY,
        "Budapest",
        "Váci utca 19.",
        SUNSHINE,
    ),
    (
        10302,
        "Napfény Stúdió Debrecen",
        "3652555302",
        "debrecen",
        HUNGARY,
        "Debrecen",
        "Piac utca 41.",
        SUNSHINE,
    ),
    (10303, "Napfény Stúdió Szeged", "3662555303", "szeged", HUNGARY, "Szeged", "Kárász utca 8.", SUNSHINE),
    (10401, "Clínica Sorriso", "351215550401", "sorriso", PORTUGAL, "Lisboa", "Rua do Carmo, 25", None),
    (
        10402,
        "Estúdio Beleza Natural",
        "551155550402",
        "beleza",
        BRAZIL,
        "São Paulo",
        "Rua Augusta, 1508",
        None,
    ),
    (10403, "Fade & Sons", "12125550403", "fade", USA, "New York", "214 Mott Street", None),
    (
        10404,
        "Студия маникюра «Лён»",
        "78125550404",
        "len",
        RUSSIA,
        "Санкт-Петербург",
        "ул. Рубинштейна, 15",
        None,
    ),
)

PEOPLE: tuple[tuple[int, str, str, str], ...] = (
    (9001, "Emma Whitfield", "447700900101", "emma@aurora.example"),
    (9002, "Мария Иванова", "79035550102", "maria@medved.example"),
    (9003, "Kovács Bálint", "36305550103", "balint@napfeny.example"),
    (9004, "João Pereira", "351915550104", "joao@sorriso.example"),
    (9005, "Алексей Щёголев", "79115550105", "alexey@len.example"),
)


def demo_state(application_id: int = 1) -> State:
    """Return the state of a first run; the default application is the SMS one."""
    return State(
        applications=[
            sms_application(application_id),
            _application(application_id + 1, "Telephony", Kind.TELEPHONY, "Calls next to your calendar"),
            _application(application_id + 2, "Chat bot", Kind.CHAT, "A bot that books appointments"),
        ],
        chains=[
            Chain(AURORA, "Aurora Beauty", "crm-aurora-7c1e"),
            Chain(BEAR, "Сеть барбершопов «Медведь»", "crm-medved-2f94"),
            Chain(SUNSHINE, "Napfény Stúdió", "crm-napfeny-b05d"),
        ],
        locations=[_location(place) for place in PLACES],
        users=[User(*person) for person in PEOPLE],
    )


def sms_application(application_id: int) -> Application:
    return _application(application_id, "Text messages", Kind.SMS, "Reminders and campaigns under your name")


def add_chain(state: State, count: int, title: str = "Grand Network") -> Chain:
    """Add a chain with this many locations, however many there are already, and return it."""
    chain_id = max((item.id for item in state.chains), default=500) + 1
    first = max((item.id for item in state.locations), default=10000) + 1
    chain = Chain(chain_id, f"{title} {chain_id}", f"crm-{chain_id}-{secrets.token_hex(3)}")
    state.chains.append(chain)
    for index in range(count):
        name = f"{chain.title}, No. {index + 1}"
        place: Place = (
            first + index,
            name,
            "442079461000",
            f"n{first + index}",
            UK,
            "London",
            "1 High Street",
            chain_id,
        )
        state.locations.append(_location(place))
    return chain


def _location(place: Place) -> Location:
    location_id, title, phone, mailbox, (country, zone), city, address, chain_id = place
    mail = f"{mailbox}@salons.example"
    return Location(location_id, title, title, phone, mail, country, city, zone, address, chain_id)


def _application(application_id: int, name: str, kind: Kind, summary: str) -> Application:
    base = application_id * 100
    options = [
        TariffOption(base + 1, "1 month", Decimal("29.90"), 1, "EUR"),
        TariffOption(base + 2, "12 months", Decimal("299.00"), 12, "EUR", free_period_in_months=2),
    ]
    return Application(application_id, name, kind, summary, tariffs=[Tariff(base, "Standard", options)])
