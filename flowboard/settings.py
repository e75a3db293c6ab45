"""Django's settings; everything that differs between installations comes from the environment."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pghistory
from django.core.exceptions import ImproperlyConfigured

from flowboard import environment, logs

BASE_DIR = Path(__file__).resolve().parent.parent
try:
    ENV = environment.read(os.environ, base=BASE_DIR)
except environment.Misconfigured as mistakes:
    raise ImproperlyConfigured(str(mistakes)) from None

SECRET_KEY = ENV.secret_key or environment.own_secret_key(ENV.home)
DEBUG = ENV.debug
ALLOWED_HOSTS = list(ENV.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(ENV.trusted_origins)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "pgtrigger",
    "pghistory",
    "axes",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "patients",
    "wards",
    "flow",
    "huddles",
    "interop",
    "flowboard",
]

MIDDLEWARE = [
    "flowboard.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "flowboard.middleware.ContentSecurity",
    "flowboard.middleware.StorableText",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.session_limits.SessionLimits",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "flowboard.middleware.AuditContext",
    "flow.handover.stints.AtWork",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "flowboard.urls"
WSGI_APPLICATION = "flowboard.wsgi.application"
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
                "flow.navigation.navigation",
            ]
        },
    }
]

# --- PostgreSQL -----------------------------------------------------------------------------
_of_database = dict(ENV.database)
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _of_database.pop("dbname", ""),
        "USER": _of_database.pop("user", ""),
        "PASSWORD": _of_database.pop("password", ""),
        "HOST": _of_database.pop("host", ""),
        "PORT": _of_database.pop("port", ""),
        "OPTIONS": {"connect_timeout": 5, **_of_database},
        # One connection a thread, kept; asked for its health before each request's first query,
        # so that a restarted PostgreSQL costs nobody an error page.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis ----------------------------------------------------------------------------------
REDIS_URL = ENV.redis_url
LIVE_AUTHORISER = "huddles.screens.listening.may_hear"
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "flowboard.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_timeout": 1.0, "socket_connect_timeout": 1.0},
    }
}

# --- People ---------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it turns away whoever is locked out
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "flow:start"
LOGOUT_REDIRECT_URL = LOGIN_URL
# Two limits, explained in accounts/session_limits.py: without use, and in all.
SESSION_IDLE = timedelta(minutes=ENV.session_idle_minutes)
SESSION_COOKIE_AGE = 12 * 60 * 60  # a long shift
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.https
SESSION_COOKIE_NAME = "flowboard_session"
CSRF_COOKIE_NAME = "flowboard_csrf"

# Answers that numbers and details of a patient do not fit (accounts/misfits.py).
MISFITS_AN_HOUR = ENV.misfits_an_hour

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# A pair: one address cannot try many passwords of one person, yet nobody can lock a colleague
# out from elsewhere, and a ward's shared address does not lock the ward.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "accounts.lockout.locked_out"
# The page says when to try again, so trying too early must not put it off.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False

# --- Transport ------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = ENV.https
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if ENV.https else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Static files ---------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Only production collects; elsewhere files are served from where they lie.
STATIC_ROOT = ENV.static_root if ENV.production else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # Hashed names need `collectstatic` first; a demo and the tests serve files as they lie.
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if ENV.production
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}
WHITENOISE_USE_FINDERS = not ENV.production
WHITENOISE_AUTOREFRESH = ENV.debug
WHITENOISE_ALLOW_ALL_ORIGINS = False

# --- Language and time ----------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = ENV.time_zone
LANGUAGE_CODE = "en-gb"

# --- Audit ----------------------------------------------------------------------------------
# The metadata of a change lies in the history row itself: one write a change, not two.
PGHISTORY_CONTEXT_FIELD = pghistory.ContextJSONField()
PGHISTORY_CONTEXT_ID_FIELD = pghistory.ContextUUIDField()
# A read changes no clinical row, so it need not find out who reads.
PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")
PGHISTORY_DEFAULT_TRACKERS = (
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
)

# --- REST -----------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api_auth.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "flow.api.problems.handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    # A program may ask for the beds of every ward of a large system every few seconds.
    "DEFAULT_THROTTLE_RATES": {
        "token": "6000/min",
        "user": "1200/min",
        "anon": "60/min",
        # Codes that wall screens ask for from one address, and that one person types in.
        "pairing": "20/min",
        "pairing_guess": "10/min",
    },
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Flowboard",
    "DESCRIPTION": "Beds and patient flow of a hospital and the care system around it.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    # Names for lists of words that several fields share a name for.
    "ENUM_NAME_OVERRIDES": {
        "WardKind": "wards.models.Ward.Kind",
        "ClosureReason": "wards.models.Closure.Reason",
        "WardSex": "wards.models.Ward.Sex",
        "PatientSex": "patients.models.Patient.Sex",
        "EpisodeStatus": "patients.models.Episode.Status",
        "BarrierStatus": "flow.api.shapes_waits.BARRIER_STATUSES",
        "ReferralStatus": "wards.models.Referral.Status",
        "ActionStatus": "huddles.api.describing.ACTION_STATUSES",
        "HuddleStatus": "huddles.api.describing_huddles.STATUSES",
        "ReferralKind": "wards.models.Referral.Kind",
        "ReferralStepKind": "wards.models.ReferralStep.Kind",
        "BarrierStepKind": "patients.models.BarrierStep.Kind",
        "CodeKind": "patients.models.CodeSet.Kind",
        "ForecastModelKind": "flow.models.ForecastModel.Kind",
        "BedPoolKind": "flow.forecasts.outlook.PoolKind",
        "PlannedKind": "flow.forecasts.outlook.MarkKind",
        "NeedKind": "flow.api.shapes_desk.NEED_KINDS",
    },
    # The documentation page's own files, so that it asks no other host for anything.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Feeds: what to do with a sender that nobody has set up: accept its messages, or refuse -----
HL7_STRANGERS = ENV.hl7_strangers
STUCK_LIMITS = dict(ENV.stuck_limits)

# --- Shifts by which staffing is said, by London's clock -----------------------------------------
SHIFTS = ENV.shifts

# --- E-mail: without a place to send it to nobody is told of levels ------------------------------
MAIL_READY = ENV.mail is not None
PUBLIC_ADDRESS = ENV.public_address
DEFAULT_FROM_EMAIL = ENV.mail_from
EMAIL_TIMEOUT = 20
if ENV.mail is None:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
elif ENV.mail.folder:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = ENV.mail.folder
else:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = ENV.mail.host, ENV.mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENV.mail.user, ENV.mail.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = ENV.mail.starttls, ENV.mail.tls

# --- Background work ------------------------------------------------------------------------
CELERY_BROKER_URL = environment.broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives any outage of Redis
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5.0, "socket_connect_timeout": 1.0}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False  # the sweep comes soon; a request does not wait for Redis
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # Each run is worthless once the next is due, so a backlog throws itself away.
    name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for name, task, seconds in (
        ("count dirty wards", "flow.tasks.refresh_census", 15.0),
        ("confirm every ward", "flow.tasks.confirm_all", 60.0),
        ("escalate overdue barriers", "flow.tasks.escalate_barriers", 60.0),
        ("close referrals that are over", "flow.tasks.settle_referrals", 60.0),
        ("end reservations that are over", "flow.tasks.end_reservations", 20.0),
        ("count cohorts", "flow.tasks.count_cohorts", 60.0),
        ("issue forecasts", "flow.tasks.issue_forecasts", 20.0),
        ("score forecasts", "flow.tasks.score_forecasts", 600.0),
        ("learn forecasts", "flow.tasks.learn_forecasts", 30.0),
        ("assess escalation", "huddles.tasks.assess_escalation", 60.0),
        ("send notices", "huddles.tasks.send_notices", 20.0),
        ("mail summaries of huddles", "huddles.tasks.mail_summaries", 20.0),
        ("end forgotten huddles", "huddles.tasks.end_forgotten", 60.0),
        ("apply waiting messages", "interop.tasks.apply_waiting", 15.0),
    )
}
# Learning takes minutes of a processor: a worker of its own does it, so that nothing waits for it.
CELERY_TASK_ROUTES = {"flow.tasks.learn_forecasts": {"queue": "learning"}}

# --- Health: ages in seconds beyond which /health/ready answers 503 --------------------------
HEALTH_OLDEST_MESSAGE = 120.0
HEALTH_OLDEST_DIRTY_WARD = 120.0

# --- Logs -----------------------------------------------------------------------------------
LOGGING = logs.configuration(ENV.log_format, ENV.log_level, debug=ENV.debug)
