"""Reporting, deciding about reports, and reading what was decided."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from atelier.core import clock, ratelimit
from atelier.core.errors import DomainError
from atelier.likeness import queries as likeness
from atelier.moderation import queries, services, targets
from atelier.moderation.models import ActionKind, StatementOfReasons
from atelier.web.forms.moderation import AppealForm, DecisionForm, ReportForm, tell

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from atelier.accounts.models import User
    from atelier.moderation.models import Report
    from atelier.moderation.targets import Target

STRANGER_REPORTS_PER_MINUTE = 6
STRANGER_BURST = 10
PARTS = (
    ("", "All"),
    ("reports", "Reports"),
    ("bounties", "Bounties"),
    ("entries", "Entries"),
    ("weights", "Weights"),
    ("appeals", "Appeals"),
)


def viewer_of(request: HttpRequest) -> User | None:
    """The signed-in person, or nobody."""
    return request.user if request.user.is_authenticated else None


def limit_strangers(request: HttpRequest) -> None:
    """Somebody without an account can report, but not in masses."""
    if not request.user.is_authenticated:
        ratelimit.take(
            caller=f"report:{request.META.get('REMOTE_ADDR', '')}",
            per_minute=STRANGER_REPORTS_PER_MINUTE,
            burst=STRANGER_BURST,
        )


def case_address(found: Report) -> str:
    """Where a report's progress can be read, by whoever has the address."""
    return f"{reverse('case', args=[found.id])}?secret={found.secret}"


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Report the thing that the address names, or any by its link."""
    viewer = viewer_of(request)
    target = None
    if request.GET.get("kind"):
        target = targets.find(kind=request.GET["kind"], target_id=request.GET.get("id", ""))
        targets.require_visible(target=target, viewer=viewer)
    form = ReportForm(request.POST or None)
    if target is not None:
        del form.fields["link"]
    if viewer is not None:
        del form.fields["contact"]
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                limit_strangers(request)
                made = services.report(
                    reporter=viewer,
                    kind=target.kind if target else "",
                    target_id=target.id if target else "",
                    **form.cleaned_data,
                )
            except DomainError as problem:
                tell(form, problem)
                status = problem.status
            else:
                return redirect(case_address(made))
    return render(
        request, "moderation/report.html", {"form": form, "target": target}, status=status
    )


@require_safe
def case(request: HttpRequest, case_id: str) -> HttpResponse:
    """A report and its progress, or a decision and its reasons, for the person concerned."""
    viewer, secret = viewer_of(request), request.GET.get("secret", "")
    if case_id.startswith("rep_"):
        found = queries.report_for(report_id=case_id, viewer=viewer, secret=secret)
        response = render(
            request, "moderation/case.html", {"report": found, "word": _word(found.target_kind)}
        )
    else:
        statement = queries.statement_for(statement_id=case_id, viewer=viewer, secret=secret)
        if viewer is not None and viewer.pk == statement.recipient_id:
            services.mark_read(statement=statement)
        response = _statement(request, statement, secret=secret)
    # The secret stands in the address: no other site may learn it.
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-store"
    return response


def _word(kind: str) -> str:
    return targets.WORDS.get(kind, "thing")


def _statement(
    request: HttpRequest,
    statement: StatementOfReasons,
    *,
    secret: str,
    form: AppealForm | None = None,
    status: int = 200,
) -> HttpResponse:
    viewer = viewer_of(request)
    context = {
        "statement": statement,
        "word": _word(statement.decision.target_kind),
        "is_restriction": bool(statement.redress),
        "may_appeal": bool(secret) or (viewer is not None and viewer.pk == statement.recipient_id),
        "secret": secret,
        "form": form or AppealForm(),
    }
    return render(request, "moderation/statement.html", context, status=status)


@require_POST
def again(request: HttpRequest, case_id: str) -> HttpResponse:
    """The person concerned asks for another look."""
    viewer, secret = viewer_of(request), request.GET.get("secret", "")
    statement = queries.statement_for(statement_id=case_id, viewer=viewer, secret=secret)
    form = AppealForm(request.POST)
    status = 422
    if form.is_valid():
        try:
            services.appeal(
                statement_id=statement.id,
                actor=viewer,
                secret=secret,
                words=form.cleaned_data["words"],
            )
        except DomainError as problem:
            tell(form, problem)
            status = problem.status
        else:
            address = reverse("case", args=[statement.id])
            return redirect(f"{address}?{urlencode({'secret': secret})}" if secret else address)
    return _statement(request, statement, secret=secret, form=form, status=status)


@login_required
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for a person. The first one is opened."""
    _require_staff(request)
    only = request.GET.get("only", "")
    waiting = queries.queue(only=only)
    if not waiting:
        return _page(request, only=only, target=None)
    first = waiting[0]
    return _page(request, only=only, target=targets.find(kind=first.kind, target_id=first.id))


@login_required
@require_safe
def one(request: HttpRequest, kind: str, target_id: str) -> HttpResponse:
    """One thing, whether it waits or not."""
    _require_staff(request)
    target = targets.find(kind=kind, target_id=target_id)
    return _page(request, only=request.GET.get("only", ""), target=target)


@login_required
@require_POST
def act(request: HttpRequest, kind: str, target_id: str) -> HttpResponse:
    """Decide, and go on to the next."""
    actor = _require_staff(request)
    target = targets.find(kind=kind, target_id=target_id)
    form = DecisionForm(request.POST)
    only = request.GET.get("only", "")
    status = 422
    if form.is_valid():
        days = form.cleaned_data["days"]
        action = request.POST.get("action", "")
        try:
            services.act(
                actor=actor,
                action=action,
                kind=kind,
                target_id=target_id,
                reason=form.cleaned_data["reason"],
                rule=form.cleaned_data["rule"],
                until=clock.now() + dt.timedelta(days=int(days))
                if days and action == ActionKind.SUSPEND
                else None,
            )
        except DomainError as problem:
            tell(form, problem)
            status = problem.status
        else:
            messages.success(request, f"Decided: {ActionKind(action).label}. {target.title}")
            return redirect(f"{reverse('moderate')}?only={only}" if only else "moderate")
    return _page(request, only=only, target=target, form=form, status=status)


@login_required
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Everything staff decided."""
    _require_staff(request)
    page = queries.decisions(after=request.GET.get("after"), limit=50)
    return render(request, "moderation/log.html", {"decisions": page.items, "next": page.next})


def _require_staff(request: HttpRequest) -> User:
    actor = cast("User", request.user)
    if not actor.is_staff:
        raise Http404  # a stranger need not know that it is here
    services.require_staff(actor)
    return actor


def _page(
    request: HttpRequest,
    *,
    only: str,
    target: Target | None,
    form: DecisionForm | None = None,
    status: int = 200,
) -> HttpResponse:
    counts = queries.counts()
    context: dict[str, object] = {
        "area": "moderate",
        "only": only,
        "parts": [(name, label, counts.get(name, sum(counts.values()))) for name, label in PARTS],
        "waiting": queries.queue(only=only),
        "target": target,
        "form": form or DecisionForm(),
    }
    if target is not None:
        context |= {
            "reports": queries.open_reports(target=target),
            "appeals": queries.open_appeals(target=target),
            "held": likeness.decision(target.decision_id) if target.decision_id else None,
            "before": queries.decisions_on(target=target),
            "is_own": target.owner is not None and target.owner.pk == request.user.pk,
            "may_suspend": ActionKind.SUSPEND in target.actions,
        }
    return render(request, "moderation/moderate.html", context, status=status)
