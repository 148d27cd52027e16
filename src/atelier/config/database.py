"""Where the database is: the operator's server, or the embedded one beside the data."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from atelier.config.env import Environment, EnvironmentProblem
from atelier.core import postgres


def database_settings(environment: Environment) -> dict[str, Any]:
    """Django's database entry for ``ATELIER_DATABASE_URL``, else for the embedded cluster.

    The embedded cluster need not run yet: its socket folder follows from the home alone, so any
    command can compute the address first and start the cluster afterwards.
    """
    options: dict[str, Any] = {
        # Prepared on first use: the hot lists are the same statements over and over.
        "server_side_binding": True,
        "prepare_threshold": 1,
    }
    if environment.database_url:
        url = urlsplit(environment.database_url)
        if url.scheme not in {"postgres", "postgresql"} or not url.path.strip("/"):
            message = (
                "ATELIER_DATABASE_URL must look like postgresql://user:password@host:5432/name"
            )
            raise EnvironmentProblem(message)
        query = dict(parse_qsl(url.query))
        host = query.pop("host", "") or unquote(url.hostname or "")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(url.path.strip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": host,
            "PORT": str(url.port or ""),
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {**options, **query},
        }
    address = postgres.address(environment.home)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address.database,
        "USER": address.user,
        "PASSWORD": "",
        "HOST": str(address.socket_folder),
        "PORT": str(address.port),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
