"""Settings of the example project.

Everything that a test or a demo wants to vary comes from the environment:

``DEMO_DEBUG``        ``0`` turns DEBUG off (default on)
``DEMO_DB``           path of the SQLite file (default ``db.sqlite3`` here)
``DEMO_RATE``         ``tight``, ``loose`` or unset for djust's own default
``DEMO_MAX_EVENTS``   ``time_travel_max_events`` (djust's default is 100)
``DEMO_HVR``          ``0`` turns hot view replacement off, hot reload stays
``DEMO_HOT_RELOAD``   ``0`` turns the file watcher off altogether
``DEMO_LOG_LEVEL``    level of the ``djust`` and ``lab`` loggers (default INFO)
``DEMO_HOSTS``        comma-separated ``ALLOWED_HOSTS``
``DEMO_INSTALLED``    ``1`` lists ``djust_inspector`` in ``INSTALLED_APPS``
``DEMO_INSPECTOR``    the setting ``DJUST_INSPECTOR`` as JSON
``DEMO_REDIS``        address of a Redis, which then is the channel layer
``DEMO_LAYER``        class of ``channels_redis`` (default ``core.RedisChannelLayer``)
"""

import json
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent


def env_flag(name, default):
    """Read an on/off switch; anything but 0, false, no and empty is on."""
    return os.environ.get(name, default).strip().lower() not in ("0", "false", "no", "")


# The project only ever serves loopback with throw-away data.
SECRET_KEY = "example-project-key-that-protects-nothing-of-value"  # noqa: S105
DEBUG = env_flag("DEMO_DEBUG", "1")
ALLOWED_HOSTS = [
    host.strip()
    for host in os.environ.get("DEMO_HOSTS", "localhost,127.0.0.1").split(",")
    if host.strip()
]

INSTALLED_APPS = [
    # Before staticfiles, so that `manage.py runserver` speaks ASGI.
    "daphne",
    "channels",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "djust",
    "lab",
]
if env_flag("DEMO_INSTALLED", "0"):
    INSTALLED_APPS.append("djust_inspector")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
if DEBUG:
    MIDDLEWARE.insert(0, "djust.observability.middleware.LocalhostOnlyObservabilityMiddleware")

ROOT_URLCONF = "config.urls"

CONTEXT_PROCESSORS = [
    "django.template.context_processors.debug",
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES = [
    {
        "BACKEND": "djust.template_backend.DjustTemplateBackend",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    },
    # `{% live_render %}` renders the child with a plain Django engine and
    # fails at mount when there is none.
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    },
]

ASGI_APPLICATION = "config.asgi.application"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
if os.environ.get("DEMO_REDIS"):
    CHANNEL_LAYERS["default"] = {
        "BACKEND": "channels_redis." + os.environ.get("DEMO_LAYER", "core.RedisChannelLayer"),
        "CONFIG": {"hosts": [os.environ["DEMO_REDIS"]]},
    }

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DEMO_DB") or BASE_DIR / "db.sqlite3",
        "OPTIONS": {"timeout": 20},
    }
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
# Demo users share the password "demo"; the fast hasher keeps start-up short.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LIVEVIEW_ALLOWED_MODULES = ["lab.views", "lab.hvr_views", "djust"]

LIVEVIEW_CONFIG = {
    "hot_reload": env_flag("DEMO_HOT_RELOAD", "1"),
    "hvr_enabled": env_flag("DEMO_HVR", "1"),
    # Only this project, never a parent folder: an editor saving something
    # else must not reload these pages.
    "hot_reload_watch_dirs": [str(BASE_DIR)],
}
if os.environ.get("DEMO_MAX_EVENTS"):
    LIVEVIEW_CONFIG["time_travel_max_events"] = int(os.environ["DEMO_MAX_EVENTS"])

# A given dict replaces djust's default as a whole, so every member is named.
RATE_LIMITS = {
    "tight": {
        "rate": 2,
        "burst": 5,
        "max_warnings": 3,
        "max_connections_per_ip": 3,
        "reconnect_cooldown": 5,
        "upload_rate": 10,
        "upload_burst": 20,
    },
    "loose": {
        "rate": 10_000,
        "burst": 10_000,
        "max_warnings": 1_000,
        "max_connections_per_ip": 10_000,
        "reconnect_cooldown": 0,
        "upload_rate": 10_000,
        "upload_burst": 10_000,
    },
}
if os.environ.get("DEMO_RATE"):
    LIVEVIEW_CONFIG["rate_limit"] = RATE_LIMITS[os.environ["DEMO_RATE"]]

DJUST_CONFIG = {
    # Otherwise a DEBUG server asks a package index for newer releases once a day.
    "update_check": False,
    # Non-JSON types in the state and view-level auth alone are what these
    # pages are about; fragments and `extends` only make the checks chatty.
    "suppress_checks": ["V008", "S009", "T002", "T012", "T018"],
}
DJUST_STATE_SNAPSHOT_ENABLED = True

LOG_LEVEL = os.environ.get("DEMO_LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        "djust": {"handlers": ["console"], "level": LOG_LEVEL, "propagate": False},
        "lab": {"handlers": ["console"], "level": LOG_LEVEL, "propagate": False},
    },
}

if os.environ.get("DEMO_INSPECTOR"):
    DJUST_INSPECTOR = json.loads(os.environ["DEMO_INSPECTOR"])
