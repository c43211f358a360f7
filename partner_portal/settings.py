"""Settings, all from the environment; `.env.example` lists every variable.

No setting has an insecure default: without `SECRET_KEY` and `FIELD_ENCRYPTION_KEYS` the start fails with a message
that says what to set. `make run` sets its own values for the demonstration.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from partner_portal.api_settings import REST_FRAMEWORK, SPECTACULAR_SETTINGS  # noqa: F401 - settings
from partner_portal.beat_schedule import CELERY_BEAT_SCHEDULE  # noqa: F401 - a setting
from partner_portal.core.brand import brand_of_environment
from partner_portal.core.environment import Environment
from partner_portal.core.error_reports import start as start_error_reports
from partner_portal.core.logs import logging_config
from partner_portal.core.request_buffer import MAX_BODY

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))
# An empty variable counts as not set.
env.ENVIRON = {name: value for name, value in os.environ.items() if value}

# The folder for the files that the portal writes: cache, embedded broker, beat's schedule, SQLite's database.
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
# The folder's mode keeps other users of the machine away from its files, whatever the modes of these are.
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)


def required(name: str, how: str) -> str:
    """Return the variable's value. Raises ImproperlyConfigured, with `how` as the next step, if it is empty."""
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"Set the environment variable {name}: {how} (see .env.example).")
    return value


# --- Django ---------------------------------------------------------------------------------------
SECRET_KEY = required("SECRET_KEY", "a long random string that only this portal knows")
# Former keys: signatures made with them stay valid, but nothing new is signed with them.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.flag("DEBUG", default=False)
PORTAL_URL = required("PORTAL_URL", "the portal's public address, for example https://portal.example.com").rstrip("/")
_portal = urlsplit(PORTAL_URL)
if _portal.scheme not in {"http", "https"} or not _portal.hostname:
    raise ImproperlyConfigured("PORTAL_URL must be a full address, for example https://portal.example.com.")
if _portal.path or _portal.query or _portal.fragment:
    raise ImproperlyConfigured("PORTAL_URL: write scheme and host alone; the portal stands at the root of its host.")
BEHIND_HTTPS = _portal.scheme == "https"
# Health checks of the same machine ask under the last two. Links that leave the portal stand on PORTAL_URL, whatever
# host a request names.
ALLOWED_HOSTS: list[str] = [*env.list("ALLOWED_HOSTS", default=[_portal.hostname]), "localhost", "127.0.0.1"]

INSTALLED_APPS = [
    "rest_framework_api_key",
    "partner_portal.core",
    "accounts",
    "integrations.connections",
    "integrations.contract_drift",
    "integrations.outbox",
    "integrations.alerts",
    "integrations.partner_events",
    "integrations.user_tokens",
    "integrations.locations",
    "integrations.location_profiles",
    "integrations.webhook_settings",
    "integrations.status_sync",
    "integrations.handover",
    "integrations.sender_names",
    "integrations.messaging",
    "integrations.chat",
    "integrations.telephony",
    "integrations.activation",
    "integrations.connect",
    "integrations.lifecycle",
    "integrations.reconciliation",
    "integrations.webhooks",
    "integrations.backoffice",
    "billing",
    "integrations.api",
    "accounts.two_factor.apps.ControlRoomConfig",
    "django_otp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
]
MIDDLEWARE = [
    "partner_portal.core.middleware.request_id",
    "partner_portal.core.middleware.redirect_to_https",
    "partner_portal.core.middleware.no_nul",
    "partner_portal.core.trailing_slash.slash_optional",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "partner_portal.core.middleware.no_store",
    "partner_portal.core.page_middleware.ContentPolicy",
    "partner_portal.core.form_targets.form_targets",
    "partner_portal.core.page_middleware.Sessions",
    "partner_portal.core.languages.language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "partner_portal.core.page_middleware.Authentication",
    "partner_portal.core.page_middleware.SecondFactor",
    "partner_portal.core.page_middleware.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.owner_frame.owner_frame",
]
ROOT_URLCONF = "partner_portal.urls"
WSGI_APPLICATION = "partner_portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.brands.brand",
            ]
        },
    }
]
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # a constraint that this check does not see makes e-mail addresses unique in any case
    "security.W004",  # the operator decides about HSTS (docs/operations.md)
    "security.W005",  # the operator decides whether HSTS includes subdomains
    "security.W021",  # the operator decides whether browsers may preload HSTS
    "security.W010",  # SESSION_COOKIE_SECURE follows PORTAL_URL; portal.W003 says what to set
    "security.W016",  # CSRF_COOKIE_SECURE too
    "security.W008",  # middleware.redirect_to_https redirects only what a proxy received over http
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# --- database -------------------------------------------------------------------------------------
def database() -> dict[str, Any]:
    """Return the configuration of the database. SQLite gets options that let several processes write to it."""
    config: dict[str, Any] = env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'portal.sqlite3'}")
    if "sqlite" in config["ENGINE"]:
        Path(config["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=10000;",
        }
    else:
        # Each web thread keeps its connection; `stale_connections` closes a dead one before a request begins.
        # Celery closes it around each task.
        config["CONN_MAX_AGE"] = 600
        # psycopg prepares a statement of `prepared.py` after five runs. A pooler that shares its connections between
        # clients cannot hold prepared statements.
        if not config.get("DISABLE_SERVER_SIDE_CURSORS"):
            config.setdefault("OPTIONS", {}).setdefault("prepare_threshold", 5)
    return config


DATABASES = {"default": database()}

# --- people ---------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.sign_in.PasswordBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Whether all staff must use a second factor. Anyone who has set one up is always asked for it.
STAFF_TWO_FACTOR = env.flag("STAFF_TWO_FACTOR", default=False)
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "accounts:home"
LOGOUT_REDIRECT_URL = "accounts:sign-in"
PASSWORD_RESET_TIMEOUT = 3600
EMAIL_CONFIG = env.mail_server("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_BACKEND = {
    "django.core.mail.backends.smtp.EmailBackend": "partner_portal.core.smtp_backend.EmailBackend",
    "django.core.mail.backends.console.EmailBackend": "partner_portal.core.console_email.EmailBackend",
}.get(EMAIL_CONFIG["EMAIL_BACKEND"], EMAIL_CONFIG["EMAIL_BACKEND"])
# The time-out in seconds for each step of the conversation with the mail server.
EMAIL_TIMEOUT = env.whole("EMAIL_TIMEOUT", default=10, at_least=1)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"portal@{_portal.hostname}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# The partner's brand on owners' pages and in their e-mails, from `BRAND_NAME` and the others, and its logo file.
BRAND, BRAND_LOGO = brand_of_environment(env.ENVIRON)

# --- security -------------------------------------------------------------------------------------
FIELD_ENCRYPTION_KEYS: list[str] = [
    key.strip()
    for key in required(
        "FIELD_ENCRYPTION_KEYS",
        "one or more Fernet keys, newest first, comma-separated; make one with `python3 -c "
        "'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'`",
    ).split(",")
    if key.strip()
]
if not FIELD_ENCRYPTION_KEYS:
    raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS: there is no key between the commas.")
SESSION_ENGINE = "partner_portal.core.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [f"{_portal.scheme}://{_portal.netloc}"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
# Browsers enforce HSTS for this long, so it is off unless the operator turns it on deliberately.
SECURE_HSTS_SECONDS: int = env.whole("HSTS_SECONDS", default=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS: bool = env.flag("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD: bool = env.flag("HSTS_PRELOAD", default=False)
# An arrival's URL holds a CRM token, so no request names it as its referrer, not even one to our own proxy.
SECURE_REFERRER_POLICY = "strict-origin"
X_FRAME_OPTIONS = "DENY"
DEFAULT_EXCEPTION_REPORTER = "partner_portal.core.logs.SecretFreeReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "partner_portal.core.logs.SecretFreeReporterFilter"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY

# --- language and time ----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", _("English")),
    ("ru", _("Russian")),
    ("uk", _("Ukrainian")),
    ("pt", _("Portuguese")),
    ("hu", _("Hungarian")),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- static files ---------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = env.flag("SERVE_STATIC_WITHOUT_COLLECTING", default=False)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Celery and cache -----------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="")
REDIS_TRANSPORT_OPTIONS: dict[str, Any] = {
    # A dead Redis must delay a request as little as possible: the sweep works from the database.
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    # Redis keeps no copies of unacknowledged messages: the sweep is the safety net, not redelivery. Acknowledging on
    # a lost connection would also make kombu (5.7.0) raise an error that ends the worker.
    "ack_emulation": False,
}
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = REDIS_TRANSPORT_OPTIONS
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": str(VAR_DIR / "cache"),
            # A full cache drops a third of its entries; Django's default of 300 would soon drop all rate limits.
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    }
    _broker = Path(env.str("EMBEDDED_BROKER_DIR", default=str(VAR_DIR / "broker")))
    _broker.mkdir(mode=0o700, parents=True, exist_ok=True)
    for _folder in ("messages", "control"):
        (_broker / _folder).mkdir(mode=0o700, exist_ok=True)
    CELERY_BROKER_URL = "filesystem://"
    CELERY_BROKER_TRANSPORT = "partner_portal.core.folder_broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "messages"),
        "data_folder_out": str(_broker / "messages"),
        "control_folder": str(_broker / "control"),
        "polling_interval": 0.1,
    }

CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# More connections than a process has threads: while the broker is away each thread holds one, and a worker that
# reconnects needs another or it ends.
CELERY_BROKER_POOL_LIMIT = 64
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Tasks mostly wait for Altegio's answers; threads do that with little memory.
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = 16
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "partner_portal.core.beat:SteadyScheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")

# --- Altegio --------------------------------------------------------------------------------------
ALTEGIO_PARTNER_TOKEN: str = env.str("ALTEGIO_PARTNER_TOKEN", default="")
ALTEGIO_APPLICATION_ID: int | None = env.whole("ALTEGIO_APPLICATION_ID", default=None, at_least=1, at_most=10**18 - 1)
ALTEGIO_APP_URL: str = env.str("ALTEGIO_APP_URL", default="https://app.alteg.io").rstrip("/")
ALTEGIO_API_URL: str = env.str("ALTEGIO_API_URL", default="https://api.alteg.io/api/v1").rstrip("/")
ALTEGIO_TIME_ZONE: str = env.str("ALTEGIO_TIME_ZONE", default="UTC")
# Seconds by which Altegio's clock may differ from ours. A consent that is later than the arrival by more than this is
# somebody else's.
ALTEGIO_CLOCK_TOLERANCE: float = env.number("ALTEGIO_CLOCK_TOLERANCE", default=5)
ALTEGIO_ACTIVATION_WINDOW: int = env.whole("ALTEGIO_ACTIVATION_WINDOW", default=3600, at_least=1)
ALTEGIO_REQUESTS_PER_SECOND: int = env.whole("ALTEGIO_REQUESTS_PER_SECOND", default=5, at_least=1)
ALTEGIO_REQUESTS_PER_MINUTE: int = env.whole("ALTEGIO_REQUESTS_PER_MINUTE", default=200, at_least=1)
ALTEGIO_TIMEOUT_SECONDS: float = env.number("ALTEGIO_TIMEOUT", default=10, at_least=0.1)
# How many days before the end of a trial or paid period staff, owners and the partner's systems are notified.
SUBSCRIPTION_WARNING_DAYS: int = env.days("SUBSCRIPTION_WARNING_DAYS", default=3)
# Whether staff who may see payments get the week's figures by e-mail on Monday.
WEEKLY_FIGURES_EMAIL: bool = env.flag("WEEKLY_FIGURES_EMAIL", default=True)
# Each live connection is rechecked at least once in RECHECK_DAYS days. Rechecks use at most RECHECK_SHARE of the
# calls; 0 turns them off.
RECHECK_DAYS: int = env.days("RECHECK_DAYS", default=7, at_least=1)
RECHECK_SHARE: float = env.number("RECHECK_SHARE", default=0.5, at_most=1)
# Altegio may still be processing a call that got no clear answer. For this long "not there" is not believed of a
# payment, a refund, a phone call or an uninstall, and the next call about sender names, statuses or switches waits.
ALTEGIO_SETTLING_SECONDS: float = env.number("ALTEGIO_SETTLING_SECONDS", default=20)
# Whether a phone call that got no answer is sent again where Altegio's call list cannot be asked; the call history
# may then show it twice. If not, it has failed, and staff or the telephone exchange send it again.
TELEPHONY_RESEND_UNCONFIRMED: bool = env.flag("TELEPHONY_RESEND_UNCONFIRMED", default=False)
# How many unproven claims may wait undecided: for one e-mail address, from one network, at one location.
UNPROVEN_LOCATIONS_PER_ADDRESS: int = env.whole("UNPROVEN_LOCATIONS_PER_ADDRESS", default=200)
UNPROVEN_LOCATIONS_PER_NETWORK: int = env.whole("UNPROVEN_LOCATIONS_PER_NETWORK", default=1000)
UNPROVEN_CLAIMS_PER_LOCATION: int = env.whole("UNPROVEN_CLAIMS_PER_LOCATION", default=5)
# Seconds that the activation of an unproven claim waits for other claimants; more at a location where unproven
# claimants were refused recently.
UNPROVEN_SETTLING_SECONDS: float = env.number("UNPROVEN_SETTLING_SECONDS", default=3)
CONTESTED_SETTLING_SECONDS: float = env.number("CONTESTED_SETTLING_SECONDS", default=60)
ALTEGIO_FRAME_ANCESTORS: list[str] = env.str(
    "ALTEGIO_FRAME_ANCESTORS", default="https://app.alteg.io https://*.alteg.io"
).split()
# For how many days single message statuses are kept; the daily volumes stay.
RETENTION_SMS_STATUSES_DAYS: int = env.days("RETENTION_SMS_STATUSES_DAYS", default=90)
RETENTION_MESSAGES_DAYS: int = env.days("RETENTION_MESSAGES_DAYS", default=30)

# --- entity events --------------------------------------------------------------------------------
RETENTION_EVENTS_DAYS: int = env.days("RETENTION_EVENTS_DAYS", default=30)
# Only for trials on one machine: events may be sent to private addresses and over http.
EVENTS_ALLOW_PRIVATE: bool = env.flag("EVENTS_ALLOW_PRIVATE", default=False)

# --- retention in days; 0 keeps rows for good -----------------------------------------------------
RETENTION_CALLS_DAYS: int = env.days("RETENTION_CALLS_DAYS", default=180)
RETENTION_PHONE_CALLS_DAYS: int = env.days("RETENTION_PHONE_CALLS_DAYS", default=180)
RETENTION_REFUSED_ARRIVALS_DAYS: int = env.days("RETENTION_REFUSED_ARRIVALS_DAYS", default=30)
RETENTION_UNREGISTERED_ARRIVALS_DAYS: int = env.days("RETENTION_UNREGISTERED_ARRIVALS_DAYS", default=90)
RETENTION_EMAILS_DAYS: int = env.days("RETENTION_EMAILS_DAYS", default=90)
RETENTION_PEOPLE_DAYS: int = env.days("RETENTION_PEOPLE_DAYS", default=30)
# Apprise URLs to which alerts are sent in addition to e-mail; each is a secret.
ALERT_URLS: list[str] = env.list("ALERT_URLS", default=[])
RETENTION_ALERTS_DAYS: int = env.days("RETENTION_ALERTS_DAYS", default=90)

# --- logs and error reports -----------------------------------------------------------------------
# The bearer token that Prometheus sends to /metrics/; without it there is no such page.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
LOG_LEVEL = env.one_of("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO")
LOGGING = logging_config(level=LOG_LEVEL, as_json=env.flag("LOG_JSON", default=not DEBUG))
LOGGING_CONFIG = "partner_portal.core.logs.configure"
if SENTRY_DSN := env.str("SENTRY_DSN", default=""):
    start_error_reports(SENTRY_DSN)
