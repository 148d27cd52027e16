"""Talking about things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atelier.accounts import services as accounts
from atelier.core import db, markdown, outbox, ratelimit
from atelier.core.errors import Forbidden, Invalid, NotFound, NotOwner
from atelier.likeness import services as likeness
from atelier.likeness.actions import Action
from atelier.social import targets
from atelier.social.models import MAX_COMMENT, Comment, CommentStatus

if TYPE_CHECKING:
    from atelier.accounts.models import User

PER_MINUTE, BURST = 12, 6


def comment(
    *,
    author: User,
    target_kind: str,
    target_id: str | int,
    body: str,
    parent_id: str = "",
) -> Comment:
    """Says something about a thing, or answers what somebody said about it."""
    accounts.require_active(author)
    text = body.strip()
    if not 1 <= len(text) <= MAX_COMMENT:
        raise Invalid.field("body", f"must be 1 to {MAX_COMMENT} characters")
    if "\0" in text:
        raise Invalid.field("body", "must be text")
    if target_kind in {"comment", "user"}:
        raise Invalid.field("target_kind", "answer a comment by naming it as parent")
    target = targets.find(kind=target_kind, target_id=target_id, viewer=author)
    parent = _parent(parent_id, target) if parent_id else None
    ratelimit.take(caller=f"comment:{author.pk}", per_minute=PER_MINUTE, burst=BURST)
    # Doubtful words are refused too: a comment has no state in which it could wait for a person.
    decision = likeness.decide(action=Action.COMMENT, actor_id=author.pk, texts={"body": text})
    with db.locking():
        written = Comment.objects.create(
            author=author,
            target_kind=target.kind,
            target_id=target.id,
            parent=parent,
            body=text,
            body_html=markdown.render(text),
            decision_id=decision.id,
        )
        targets.count_comment(target.kind, target.id, +1)
        outbox.publish(
            "social.commented",
            {
                "comment_id": written.id,
                "author_id": author.pk,
                "target_kind": target.kind,
                "target_id": target.id,
                "owner_id": target.owner_id,
                "parent_author_id": parent.author_id if parent else None,
            },
        )
    return written


def _parent(parent_id: str, target: targets.Target) -> Comment:
    parent = Comment.objects.filter(
        pk=parent_id,
        target_kind=target.kind,
        target_id=target.id,
        status=CommentStatus.SHOWN,
    ).first()
    if parent is None:
        raise NotFound("The comment that you answer is gone.")
    # Answers to answers stand beside them: one level is what a phone can show.
    return parent if parent.parent_id is None else Comment.objects.get(pk=parent.parent_id)


def delete_comment(*, user: User, comment_id: str) -> None:
    """Takes one's own comment away; twice is once."""
    accounts.require_active(user)
    written = Comment.objects.filter(pk=comment_id).first()
    if written is None or written.status in {CommentStatus.HIDDEN, CommentStatus.REMOVED}:
        raise NotFound("There is no such comment.")
    if written.author_id != user.pk:
        raise NotOwner("Only its author can delete a comment. You can report it.")
    _change(comment_id, CommentStatus.DELETED)


def hide_comment(*, comment_id: str, actor: User, remove: bool = False) -> Comment:
    """Staff takes a comment out of sight."""
    _require_staff(actor)
    return _change(comment_id, CommentStatus.REMOVED if remove else CommentStatus.HIDDEN)


def unhide_comment(*, comment_id: str, actor: User) -> Comment:
    """Staff shows a comment again; what its author deleted stays deleted."""
    _require_staff(actor)
    return _change(comment_id, CommentStatus.SHOWN)


def _require_staff(actor: User) -> None:
    accounts.require_active(actor)
    if not actor.is_staff:
        raise Forbidden("Only staff may do this.")


def _change(comment_id: str, status: CommentStatus) -> Comment:
    with db.locking():
        written = (
            Comment.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk=comment_id)
            .first()
        )
        if written is None:
            raise NotFound("There is no such comment.")
        if written.status in {status, CommentStatus.DELETED}:
            return written
        shown_before = written.status == CommentStatus.SHOWN
        written.status = status
        written.save(update_fields=["status"])
        step = int(status == CommentStatus.SHOWN) - int(shown_before)
        if step:
            targets.count_comment(written.target_kind, written.target_id, step)
    return written
