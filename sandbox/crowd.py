"""Any number of additional invented businesses, the same ones each time: owners, single salons and small chains."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from sandbox.models import Chain, Location, State, User

FIRST_LOCATION, FIRST_USER, FIRST_CHAIN = 20_001, 9_101, 701
# The number of locations of each business in turn; one with three or more is a chain.
SIZES = (1, 1, 2, 1, 1, 3, 1, 1, 1, 2, 1, 5, 1, 1, 2, 1, 1, 4, 1, 9)


@dataclass(frozen=True)
class Market:
    """A country with its towns, and the words for naming its businesses and people.

    `first` and `last` are the names of people, each with its spelling in an e-mail address.
    """

    country: str
    currency: str
    zone: str
    dialling: str
    towns: tuple[tuple[str, str], ...]  # each with a street
    trades: tuple[str, ...]
    names: tuple[str, ...]
    first: tuple[tuple[str, str], ...]
    last: tuple[tuple[str, str], ...]


MARKETS = (
    Market(
        "United Kingdom",
        "GBP",
        "Europe/London",
        "441614961",
        (("London", "Neal Street"), ("Leeds", "Park Row"), ("Bristol", "Corn Street"), ("Glasgow", "Byres Road")),
        ("Hair", "Barbers", "Nail Bar", "Skin Clinic", "Brow Studio"),
        ("Rose & Thorn", "Northside", "Willow", "Copper", "The Parlour", "Marlowe", "Foxglove", "Ash & Elm"),
        (("Olivia", "olivia"), ("Harry", "harry"), ("Priya", "priya"), ("Callum", "callum"), ("Grace", "grace")),
        (("Bennett", "bennett"), ("Shah", "shah"), ("Murray", "murray"), ("Okafor", "okafor"), ("Hughes", "hughes")),
    ),
    Market(
        "Kazakhstan",
        "KZT",
        "Asia/Almaty",
        "772755517",
        (("Алматы", "пр. Абая"), ("Астана", "ул. Кенесары"), ("Шымкент", "ул. Тауке хана")),
        ("Салон красоты", "Барбершоп", "Студия бровей", "Ногтевая студия"),
        ("«Ару»", "«Жулдыз»", "«Самал»", "«Достык»", "«Лаванда»", "«Тулпар»", "«Алма»"),
        (("Айгерим", "aigerim"), ("Данияр", "daniyar"), ("Мадина", "madina"), ("Ерлан", "yerlan")),
        (("Сейтказы", "seitkazy"), ("Ахметова", "akhmetova"), ("Ким", "kim"), ("Нурланулы", "nurlanuly")),
    ),
    Market(
        "Hungary",
        "HUF",
        "Europe/Budapest",
        "3615551",
        (("Budapest", "Bartók Béla út"), ("Szeged", "Kárász utca"), ("Győr", "Baross Gábor út")),
        ("Fodrászat", "Kozmetika", "Körömszalon", "Borbély"),
        ("Rozmaring", "Kékfestő", "Szépség Tér", "Őszibarack", "Dunapart", "Ezüstfenyő"),
        (("Zsófia", "zsofia"), ("Márton", "marton"), ("Eszter", "eszter"), ("Ákos", "akos")),
        (("Szűcs", "szucs"), ("Fehér", "feher"), ("Varga", "varga"), ("Győri", "gyori")),
    ),
    Market(
        "Brazil",
        "BRL",
        "America/Sao_Paulo",
        "551155551",
        (("São Paulo", "Rua Augusta"), ("Curitiba", "Rua XV de Novembro"), ("Recife", "Rua da Aurora")),
        ("Salão", "Barbearia", "Estúdio de Unhas", "Clínica Estética"),
        ("Flor de Lis", "Bossa", "Ipê Amarelo", "Bela Vista", "Maré Alta", "Jabuticaba"),
        (("Beatriz", "beatriz"), ("Thiago", "thiago"), ("Luana", "luana"), ("Otávio", "otavio")),
        (("Moreira", "moreira"), ("Araújo", "araujo"), ("Teixeira", "teixeira"), ("Brandão", "brandao")),
    ),
    Market(
        "Poland",
        "PLN",
        "Europe/Warsaw",
        "482255501",
        (("Warszawa", "ul. Mokotowska"), ("Kraków", "ul. Karmelicka"), ("Gdańsk", "ul. Długa")),
        ("Salon Fryzjerski", "Barber Shop", "Studio Paznokci", "Gabinet Kosmetyczny"),
        ("Bursztyn", "Złote Nożyczki", "Mięta", "Piękna 12", "Jaskółka", "Wrzos"),
        (("Małgorzata", "malgorzata"), ("Paweł", "pawel"), ("Zuzanna", "zuzanna"), ("Łukasz", "lukasz")),
        (("Wójcik", "wojcik"), ("Dąbrowska", "dabrowska"), ("Zieliński", "zielinski"), ("Żak", "zak")),
    ),
    Market(
        "Portugal",
        "EUR",
        "Europe/Lisbon",
        "351215551",
        (("Lisboa", "Rua do Carmo"), ("Porto", "Rua das Flores"), ("Braga", "Avenida Central")),
        ("Cabeleireiro", "Barbearia", "Espaço de Beleza"),
        ("Alecrim", "Maresia", "Azulejo", "Dom Luís", "Oliveira", "Lua Cheia"),
        (("Inês", "ines"), ("Tiago", "tiago"), ("Mariana", "mariana"), ("Rui", "rui")),
        (("Carvalho", "carvalho"), ("Simões", "simoes"), ("Magalhães", "magalhaes"), ("Lopes", "lopes")),
    ),
)


@dataclass(frozen=True)
class Business:
    """An owner with their locations."""

    user_id: int
    salon_ids: list[int]
    salon_group_id: int | None
    country: str
    currency: str


def add_crowd(state: State, locations: int) -> list[Business]:
    """Add exactly so many locations, with their owners. Raises ValueError if the crowd was added before."""
    if any(item.id == FIRST_LOCATION for item in state.locations):
        raise ValueError("the crowd is here already")
    chance = Random(locations)
    return [_business(state, number, size, chance) for number, size in enumerate(_sizes(locations))]


def _sizes(locations: int) -> Iterator[int]:
    sizes = itertools.cycle(SIZES)
    while locations > 0:
        size = min(next(sizes), locations)
        locations -= size
        yield size


def _business(state: State, number: int, size: int, chance: Random) -> Business:
    market = MARKETS[number % len(MARKETS)]
    title = f"{chance.choice(market.trades)} {chance.choice(market.names)}"
    if market.country == "United Kingdom":
        title = " ".join(reversed(title.split(" ", 1)))
    user = _owner(market, FIRST_USER + number, chance)
    chain = _chain(FIRST_CHAIN + number, title, chance) if size >= 3 else None
    first = FIRST_LOCATION + len([item for item in state.locations if item.id >= FIRST_LOCATION])
    salons = [_salon(market, first + index, title, size, chance, chain) for index in range(size)]
    state.users.append(user)
    state.chains += [chain] if chain else []
    state.locations += salons
    ids = [item.id for item in salons]
    return Business(user.id, ids, chain.id if chain else None, market.country, market.currency)


def _owner(market: Market, user_id: int, chance: Random) -> User:
    (first, mail_first), (last, mail_last) = chance.choice(market.first), chance.choice(market.last)
    name = f"{last} {first}" if market.country == "Hungary" else f"{first} {last}"
    email = f"{mail_first}.{mail_last}.{user_id}@salons.example"
    return User(user_id, name, f"{market.dialling}{user_id}", email)


def _chain(chain_id: int, title: str, chance: Random) -> Chain:
    return Chain(chain_id, title, f"crm-{chain_id}-{chance.getrandbits(24):06x}")


def _salon(market: Market, salon_id: int, title: str, size: int, chance: Random, chain: Chain | None) -> Location:
    city, street = chance.choice(market.towns)
    name = f"{title}, {city}" if size == 1 else f"{title}, {city}, {street}"
    return Location(
        id=salon_id,
        title=name,
        public_title=name,
        phone=f"{market.dialling}{salon_id % 10_000:04d}",
        email=f"salon{salon_id}@salons.example",
        country=market.country,
        city=city,
        timezone_name=market.zone,
        address=f"{street} {chance.randint(1, 120)}",
        chain_id=chain.id if chain else None,
        currency=market.currency,
    )
