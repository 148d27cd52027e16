"""Saying that something breaks a rule, and what staff decide about it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema

from atelier.api.v2.common import json_response, optional_viewer, page_response, viewer_of
from atelier.moderation import queries, services

if TYPE_CHECKING:
    from atelier.moderation.models import ModerationDecision, Report

router = Router(tags=["Reports"])


class ReportIn(Schema):
    """What is wrong, and with what: a kind and id, or a link."""

    kind: str = ""
    target: str | int = ""
    link: str = ""
    reason: str
    details: str = ""
    contact: str = ""


class DecisionIn(Schema):
    """What staff decide; the person concerned reads the reason."""

    action: str
    kind: str
    target: str | int
    reason: str
    rule: str
    until: dt.datetime | None = Field(default=None, description="End of a suspension")


@router.post("/reports", auth=None)
def report(request: HttpRequest, body: ReportIn) -> HttpResponse:
    """Report anything. Without an account the answer carries a secret that opens its case."""
    viewer = optional_viewer(request)
    made = services.report(
        reporter=viewer.user if viewer else None,
        kind=body.kind,
        target_id=str(body.target),
        link=body.link,
        reason=body.reason,
        details=body.details,
        contact=body.contact,
    )
    return json_response(_report(made, secret=viewer is None), status=201)


@router.get("/reports")
def reports(
    request: HttpRequest, after: str | None = None, limit: int | None = None
) -> HttpResponse:
    """The caller's own reports, newest first."""
    page = queries.reports_of(reporter=viewer_of(request).user, after=after, limit=limit)
    return page_response(page, _report)


@router.get("/reports/{report_id}", auth=None)
def one_report(request: HttpRequest, report_id: str, secret: str = "") -> HttpResponse:
    """One's own report, or one whose secret the caller has."""
    viewer = optional_viewer(request)
    found = queries.report_for(
        report_id=report_id, viewer=viewer.user if viewer else None, secret=secret
    )
    return json_response(_report(found))


@router.post("/moderation/decisions")
def decide(request: HttpRequest, body: DecisionIn) -> HttpResponse:
    """Staff decide about a thing. Needs a token with the scope `admin`."""
    viewer = viewer_of(request)
    viewer.require("admin")
    made = services.act(
        actor=viewer.user,
        action=body.action,
        kind=body.kind,
        target_id=str(body.target),
        reason=body.reason,
        rule=body.rule,
        until=body.until,
    )
    return json_response(_decision(made), status=201)


@router.get("/moderation/decisions")
def decisions(
    request: HttpRequest, after: str | None = None, limit: int | None = None
) -> HttpResponse:
    """Everything staff decided, newest first; for staff."""
    viewer = viewer_of(request)
    viewer.require("admin")
    services.require_staff(viewer.user)
    return page_response(queries.decisions(after=after, limit=limit), _decision)


def _report(found: Report, *, secret: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": found.id,
        "kind": found.target_kind,
        "target": found.target_id,
        "reason": found.reason,
        "details": found.details,
        "status": found.status,
        "created_at": found.created_at,
        "decided_at": found.decided_at,
    }
    if secret:
        body["secret"] = found.secret
    return body


def _decision(found: ModerationDecision) -> dict[str, Any]:
    return {
        "id": found.id,
        "action": found.action,
        "kind": found.target_kind,
        "target": found.target_id,
        "rule": found.rule,
        "reason": found.reason,
        "until": found.until,
        "created_at": found.created_at,
    }
