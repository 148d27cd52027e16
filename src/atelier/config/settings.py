"""Django's settings, from :mod:`atelier.config.env` alone; one file for every deployment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from csp.constants import NONCE, SELF

from atelier.config import env
from atelier.config.database import database_settings

ENVIRONMENT = env.load()
ATELIER_HOME = ENVIRONMENT.home
BASE_DIR = Path(__file__).resolve().parents[1]

TESTING = "pytest" in sys.modules
DEBUG = False
SECRET_KEY = ENVIRONMENT.secret_key
# On loopback any name that leads here is fine; elsewhere only the configured one.
_base_host = ENVIRONMENT.base_url.split("://", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0]
ALLOWED_HOSTS = [_base_host, ENVIRONMENT.host, "localhost", "127.0.0.1", "[::1]", "testserver"]
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT.base_url]
BASE_URL = ENVIRONMENT.base_url
EVENTS_PORT = ENVIRONMENT.events_port
ENGINE = ENVIRONMENT.engine
STORAGE_URL = ENVIRONMENT.storage_url

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
    "atelier.core",
    "atelier.accounts",
    "atelier.media",
    "atelier.ledger",
    "atelier.likeness",
    "atelier.catalog",
    "atelier.jobs",
    "atelier.gallery",
    "atelier.bounties",
    "atelier.generation",
    "atelier.training",
    "atelier.social",
    "atelier.moderation",
    "atelier.notifications",
    "atelier.web",
    "atelier.api",
    "atelier.demo",
]
if TESTING:
    INSTALLED_APPS.append("django_linear_migrations")

MIDDLEWARE = [
    "atelier.config.metrics.CountRequests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "atelier.web.middleware.DomainErrorMiddleware",
    "atelier.web.middleware.SuspensionMiddleware",
    "atelier.api.middleware.ApiMiddleware",
]

ROOT_URLCONF = "atelier.config.urls"
WSGI_APPLICATION = "atelier.config.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "atelier.web.context.frame",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {"default": database_settings(ENVIRONMENT)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if TESTING
    else ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "atelier.web.account_adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_FORMS = {
    "login": "atelier.web.forms.account.LoginForm",
    "signup": "atelier.web.forms.account.SignupForm",
    "add_email": "atelier.web.forms.account.AddEmailForm",
    "change_password": "atelier.web.forms.account.ChangePasswordForm",
    "reset_password": "atelier.web.forms.account.ResetPasswordForm",
    "reset_password_from_key": "atelier.web.forms.account.NewPasswordForm",
    "reauthenticate": "atelier.web.forms.account.ReauthenticateForm",
}
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {} if TESTING else {"login_failed": "10/m/ip,5/300s/key", "signup": "20/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Browsers accept passkeys over plain HTTP on localhost only, so nothing is weakened elsewhere.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = ENVIRONMENT.on_loopback

EMAIL_BACKEND = (
    "atelier.core.mail.OutboxBackend"
    if ENVIRONMENT.email_url.startswith("outbox:")
    else "django.core.mail.backends.smtp.EmailBackend"
)
if not ENVIRONMENT.email_url.startswith("outbox:"):
    from urllib.parse import unquote, urlsplit

    _mail = urlsplit(ENVIRONMENT.email_url)
    EMAIL_HOST = _mail.hostname or "localhost"
    EMAIL_PORT = _mail.port or 587
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_TLS = _mail.scheme == "smtp+tls"
    EMAIL_USE_SSL = _mail.scheme == "smtps"
DEFAULT_FROM_EMAIL = f"Atelier <noreply@{_base_host or 'localhost'}>"

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = ATELIER_HOME / "static"
# What the style compiler writes; per home, so that two sites of one clone do not share it.
BUILT_STATIC = ATELIER_HOME / "build" / "static"
for _folder in (STATIC_ROOT, BUILT_STATIC):
    _folder.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BUILT_STATIC]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = TESTING

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
_https = ENVIRONMENT.base_url.startswith("https://")
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Two sites on one host share cookies across ports; the port in the name keeps them apart.
SESSION_COOKIE_NAME = f"atelier_session_{ENVIRONMENT.port}"
CSRF_COOKIE_NAME = f"atelier_csrf_{ENVIRONMENT.port}"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000  # a thousand captions and their pictures
DATA_UPLOAD_MAX_NUMBER_FILES = 1000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [
            SELF,
            f"http://localhost:{ENVIRONMENT.events_port}",
            f"http://127.0.0.1:{ENVIRONMENT.events_port}",
        ]
        if ENVIRONMENT.on_loopback
        else [SELF, f"{ENVIRONMENT.base_url.rsplit(':', 1)[0]}:{ENVIRONMENT.events_port}"],
        "object-src": ["'none'"],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
    }
}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

PROCRASTINATE_ON_APP_READY = "atelier.core.queue.on_app_ready"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"scrub": {"()": "atelier.core.logs.ScrubSecrets"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["scrub"]}
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"atelier": {"level": "INFO"}},
}
