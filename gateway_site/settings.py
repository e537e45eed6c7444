"""Django's settings of a gateway, read from the environment; `.env.example` explains every variable."""

from __future__ import annotations

from pathlib import Path

from environs import EnvError, validate

from gateway_site.allowed_hosts import allowed_hosts
from gateway_site.cors_origins import cors_origins
from gateway_site.database_url import database
from gateway_site.secret_key import kept_secret_key
from inference import admin_theme
from inference.access.buckets import Rate
from inference.access.rights import PREDICT, STATUS, WEIGHTS
from inference.api_schema import about
from inference.supervision.addresses import Bind
from inference.supervision.errors import BindError
from workers.settings import ROOT, environment
from workers.settings import settings as shared_settings

env = environment()
positive = validate.Range(min=0, min_inclusive=False)
days = validate.Range(min=0, max=36_500, min_inclusive=False)


def rate(name: str, default: str) -> Rate | None:
    """A variable's rate, like 1000/s; None where it is set to nothing."""
    try:
        return Rate.parse(env.str(name, default))
    except ValueError as error:
        raise EnvError(f'Environment variable "{name}" invalid: {error}') from error


def bind(name: str) -> str:
    """A variable's host and port, as gRPC has them; empty where it says nothing."""
    text = env.str(name, "")
    try:
        return str(Bind.parse_whole(text)) if text else ""
    except BindError as error:
        raise EnvError(f'Environment variable "{name}" invalid: {error}') from error


BASE_DIR = ROOT
PIPELINE_BIND: str = env.str("PIPELINE_BIND", "127.0.0.1:54321")
#: Where gRPC is answered, host and port; nowhere when it is empty.
PIPELINE_GRPC_BIND: str = bind("PIPELINE_GRPC_BIND")
PIPELINE_DATA_DIR: Path = (ROOT / env.path("PIPELINE_DATA_DIR", ROOT / "var")).resolve()
PIPELINE_REQUEST_TIMEOUT: float = shared_settings().request_timeout_seconds
#: The most requests that one gateway process holds; more are answered 503 at once.
PIPELINE_QUEUE_REQUESTS_MAX: int = env.int("PIPELINE_QUEUE_REQUESTS_MAX", 256, validate=positive)
#: The most weight changes that one gateway process makes at once; more are answered 503 before their body is read.
PIPELINE_WEIGHT_CHANGES_MAX: int = env.int("PIPELINE_WEIGHT_CHANGES_MAX", 16, validate=positive)
PIPELINE_MAX_UPLOAD_BYTES: int = env.int("PIPELINE_MAX_UPLOAD_BYTES", 384 * 1024**2, validate=positive)
PIPELINE_MAX_BODY_BYTES: int = env.int("PIPELINE_MAX_BODY_BYTES", 8 * 1024**2, validate=positive)
#: How often each token, or address, may ask one gateway process for something; None is no limit.
PIPELINE_THROTTLES: dict[str, Rate | None] = {
    right: rate(f"PIPELINE_THROTTLE_{right.upper()}", "") for right in (PREDICT, STATUS, WEIGHTS)
}
#: How many requests without a good token are answered in full, an address.
PIPELINE_THROTTLE_FAILURES: Rate | None = rate("PIPELINE_THROTTLE_FAILURES", "10/s")
#: Requests' timings are kept until there are more, or until they are older.
PIPELINE_TIMINGS_MAX_ROWS: int = env.int("PIPELINE_TIMINGS_MAX_ROWS", 1_000_000, validate=positive)
PIPELINE_TIMINGS_DAYS: float = env.float("PIPELINE_TIMINGS_DAYS", 30.0, validate=days)
#: How long statistics are kept by the minute, and by the hour: the dashboard shows the last hour, and the last week.
PIPELINE_ROLLUPS_MINUTE_DAYS: float = env.float(
    "PIPELINE_ROLLUPS_MINUTE_DAYS", 2.0, validate=validate.Range(min=1, max=36_500)
)
PIPELINE_ROLLUPS_DAYS: float = env.float("PIPELINE_ROLLUPS_DAYS", 400.0, validate=validate.Range(min=8, max=36_500))
#: The architecture of networks that are uploaded as bare weights and are not known yet.
PIPELINE_DEFAULT_ARCHITECTURE: Path = ROOT / env.path(
    "PIPELINE_DEFAULT_ARCHITECTURE", ROOT / "data" / "sum_network.json"
)

if not PIPELINE_DEFAULT_ARCHITECTURE.is_file():
    raise EnvError(
        f'Environment variable "PIPELINE_DEFAULT_ARCHITECTURE" names no file: {PIPELINE_DEFAULT_ARCHITECTURE}'
    )

SECRET_KEY: str = env.str("PIPELINE_SECRET_KEY", "") or kept_secret_key(PIPELINE_DATA_DIR)
DEBUG = False
#: Whether a proxy in front speaks https: cookies go nowhere else then, and browsers are told so for so long.
PIPELINE_HTTPS: bool = env.bool("PIPELINE_HTTPS", False)
#: What the proxy says of itself; a client that says so has only itself to thank.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PIPELINE_HTTPS
SECURE_HSTS_SECONDS: int = (
    env.int("PIPELINE_HSTS_SECONDS", 3600, validate=validate.Range(min=0)) if PIPELINE_HTTPS else 0
)
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # whether the other hosts of the domain speak https, too, is not ours to promise
    "security.W021",  # nor to have it built into browsers
    "security.W008",  # the proxy redirects to https; the gateway itself is asked by http, by the proxy and by commands
]
#: How many proxies stand in front, each of which adds the address that it was asked from to X-Forwarded-For.
PIPELINE_PROXIES: int = env.int("PIPELINE_PROXIES", 0, validate=validate.Range(min=0, max=10))
#: Where a proxy that speaks https is reached, with the scheme: the admin's forms are taken from there, too.
CSRF_TRUSTED_ORIGINS: list[str] = env.list("PIPELINE_TRUSTED_ORIGINS", [])
#: Other sites' pages that may ask; none, unless they are named.
PIPELINE_CORS_ORIGINS: frozenset[str] = cors_origins(env.list("PIPELINE_CORS_ORIGINS", []))
ALLOWED_HOSTS: list[str] = allowed_hosts(env.list("PIPELINE_ALLOWED_HOSTS", ["*"]), PIPELINE_BIND)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "inference.admin_config.PipelineAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "inference",
]
MIDDLEWARE = [
    "inference.http.security_headers.security_headers",
    "inference.http.probed_host.probed_by_any_host",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "gateway_site.urls"
CSRF_FAILURE_VIEW = "inference.http.responses.form_refused"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": database(env.str("DATABASE_URL", ""), PIPELINE_DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["inference.http.bodies.json_format.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["inference.http.bodies.json_format.JsonParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["inference.http.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["inference.http.origin.NoForeignPages", "inference.http.permission.HasRight"],
    "DEFAULT_THROTTLE_CLASSES": ["inference.http.throttle.RightThrottle"] if any(PIPELINE_THROTTLES.values()) else [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "inference.http.negotiation.FirstOfEach",
    "EXCEPTION_HANDLER": "inference.http.responses.answer_exception",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
#: Files of a form go to files; its other fields, which stay in memory, have the limit of other bodies.
FILE_UPLOAD_HANDLERS = ["inference.http.bodies.upload_files.SpoolingHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = PIPELINE_MAX_BODY_BYTES

STATIC_URL = "/static/"
#: The admin's files are served from where they are installed: no collectstatic.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

UNFOLD = admin_theme.UNFOLD
SPECTACULAR_SETTINGS = about.SPECTACULAR_SETTINGS

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

#: What strangers can have written, each with a limit of its own: many lines of one kind hide none of another.
LIMITED_LOGGERS = (
    "django.request",
    "inference.amqp_door.told",
    "inference.dispatch.predictions",
    "inference.grpc_door.codes",
    "inference.http.responses",
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "workers.logs.formatter"}},
    "filters": {
        "defects": {"()": "gateway_site.log_filter.DefectsOnly"},
        **{name: {"()": "workers.log_limit.LimitedLines"} for name in LIMITED_LOGGERS},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": shared_settings().log_level},
    # A line for each request that is refused would let a stranger fill the log.
    "loggers": {
        "django.request": {"level": "ERROR", "filters": ["defects", "django.request"]},
        "django.security": {"level": "CRITICAL"},
        "inference.amqp_door.told": {"filters": ["inference.amqp_door.told"]},
        "inference.dispatch.predictions": {"filters": ["inference.dispatch.predictions"]},
        "inference.grpc_door.codes": {"filters": ["inference.grpc_door.codes"]},
        "inference.http.responses": {"filters": ["inference.http.responses"]},
    },
}
