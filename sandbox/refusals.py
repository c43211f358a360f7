"""The reasons for a refusal, in the language of the location's country (docs/altegio.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RUSSIAN_SPEAKING = frozenset({"Russia", "Kazakhstan", "Belarus", "Kyrgyzstan"})

REASONS: dict[str, tuple[str, str]] = {
    "already_installed": (
        "The user has already installed this application.",
        "Пользователь уже установил это приложение",
    ),
    "no_grant": (
        "The user has not allowed this application to be installed.",
        "Пользователь не разрешил установку этого приложения",
    ),
    "too_late": (
        "The time for installing this application has expired.",
        "Время установки этого приложения истекло",
    ),
    "not_installed": (
        "The application is not installed in this location.",
        "Приложение не установлено в этом филиале",
    ),
    "no_payment": ("The payment was not found.", "Платеж не найден"),
    "already_refunded": ("The payment has already been refunded.", "Возврат по этому платежу уже сделан"),
    "no_location": ("The location was not found.", "Филиал не найден"),
    "no_application": ("The application was not found.", "Приложение не найдено"),
    "no_tariffs": ("The tariff was not found.", "Тариф не найден"),
    "no_chain": ("The chain was not found.", "Сеть не найдена"),
    "no_user": ("The user was not found.", "Пользователь не найден"),
    "no_sms": ("The message was not found.", "Сообщение не найдено"),
    "no_call": ("The page was not found.", "Страница не найдена"),
    "broken": ("Агрегатор не найден", "Агрегатор не найден"),
    "bad_token": ("Partner authorization failed.", "Ошибка авторизации партнера"),
    "no_user_token": ("User authorization is required.", "Необходима авторизация пользователя"),
    "bad_accept": (
        "The Accept header must be application/vnd.api.v2+json.",
        "Заголовок Accept должен быть application/vnd.api.v2+json",
    ),
    "bad_content_type": (
        "The Content-Type header must be application/json.",
        "Заголовок Content-Type должен быть application/json",
    ),
    "bad_json": ("The body is not valid JSON.", "Тело запроса не является корректным JSON"),
    "invalid": ("The given data was invalid.", "Переданы некорректные данные"),
    "too_many": ("Too many requests.", "Слишком много запросов"),
}


@dataclass(eq=False)
class RefusalError(Exception):
    """Raised to refuse a call, with the status, the reason's key, and for 422 the details."""

    status: int
    reason: str
    errors: Mapping[str, list[str]] = field(default_factory=dict)
    code: int | None = None

    def message(self, language: str) -> str:
        english, russian = REASONS[self.reason]
        return russian if language == "ru" else english

    def meta(self, language: str) -> dict[str, Any]:
        meta: dict[str, Any] = {"message": self.message(language)}
        if self.errors:
            meta["errors"] = dict(self.errors)
        if self.code is not None:
            meta["code"] = self.code
        return meta


def language_of(country: str) -> str:
    return "ru" if country in RUSSIAN_SPEAKING else "en"
