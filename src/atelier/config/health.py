"""Whether the process lives, whether the site can serve, and how much it does."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from atelier.config import metrics as figures
from atelier.jobs import queries as jobs
from atelier.jobs.models import JobKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

_migrated = False


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """200 while the process lives; asks nothing of anybody else."""
    del request
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """200 once database, migrations and demo data are there; the engine is only reported."""
    del request
    checks = {"database": _database()}
    checks["migrations"] = _migrations() if checks["database"] == "ok" else "unknown"
    checks["demo"] = _demo()
    serving = all(state == "ok" for state in checks.values())
    return JsonResponse(
        {"status": "ready" if serving else "starting", "checks": checks, "engine": _engine()},
        status=200 if serving else 503,
    )


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Requests, jobs and waiting news in Prometheus' text format."""
    del request
    lines = [*figures.request_lines(), *_job_lines(), *_work_lines(), *_outbox_lines()]
    return HttpResponse(
        "\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8"
    )


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _migrations() -> str:
    # Once applied they stay applied while this process lives, so the question is asked once.
    global _migrated  # noqa: PLW0603
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "ok" if _migrated else "waiting"


def _demo() -> str:
    # `atelier up` puts this file there while it loads the demo community.
    return "loading" if (settings.ATELIER_HOME / "run" / "preparing").exists() else "ok"


def _engine() -> str:
    if settings.ENGINE == "off":
        return "off"
    if settings.ENGINE == "local" and find_spec("torch") is None:
        return "missing"
    try:
        return "ready" if jobs.workers(JobKind.GENERATION) else "starting"
    except DatabaseError:
        return "unknown"


def _job_lines() -> Iterator[str]:
    yield "# HELP atelier_queue_jobs Tasks in the queue by status."
    yield "# TYPE atelier_queue_jobs gauge"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT queue_name, status::text, count(*) FROM procrastinate_jobs"
            " WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1, 2 ORDER BY 1, 2"
        )
        for queue, status, count in cursor.fetchall():
            yield f'atelier_queue_jobs{{queue="{queue}",status="{status}"}} {count}'


def _work_lines() -> Iterator[str]:
    yield "# HELP atelier_jobs Generations and trainings that wait or run."
    yield "# TYPE atelier_jobs gauge"
    for kind in JobKind:
        yield f'atelier_jobs{{kind="{kind}"}} {jobs.live_count(kind)}'
    yield "# HELP atelier_workers Workers that reported lately."
    yield "# TYPE atelier_workers gauge"
    for kind in JobKind:
        yield f'atelier_workers{{kind="{kind}"}} {jobs.workers(kind)}'


def _outbox_lines() -> Iterator[str]:
    yield "# HELP atelier_outbox_waiting News not yet delivered."
    yield "# TYPE atelier_outbox_waiting gauge"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_outboxevent WHERE delivered_at IS NULL")
        row = cursor.fetchone()
    yield f"atelier_outbox_waiting {row[0] if row else 0}"
