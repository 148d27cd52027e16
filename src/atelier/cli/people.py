"""``atelier user`` and ``atelier token``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from atelier.cli.attach import attached, fail, show

if TYPE_CHECKING:
    from atelier.accounts.models import User

users = typer.Typer(help="Accounts.", no_args_is_help=True)
tokens = typer.Typer(help="API tokens.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The account's name.", metavar="NAME")]
Json = Annotated[bool, typer.Option("--json", help="Answer for a program.")]
TOKEN_NAME = "atelier command"  # noqa: S105 -- what the token is called in the settings page


class Kind(StrEnum):
    """The Sparks an operator may give; income comes from people alone."""

    EARNED = "earned"
    BOUGHT = "bought"


@users.command("create")
def create(
    name: Name,
    email: Annotated[str, typer.Option(help="Taken as verified.")],
    password: Annotated[
        str,
        typer.Option(
            prompt=True, hide_input=True, confirmation_prompt=True, help="Asked if absent."
        ),
    ],
    staff: Annotated[bool, typer.Option("--staff", help="With the rights of staff.")] = False,
    sparks: Annotated[int, typer.Option(min=0, help="Earned Sparks on top of the welcome.")] = 0,
    token: Annotated[bool, typer.Option("--token", help="Print an API token and no more.")] = False,
    as_json: Json = False,
) -> None:
    """Make an account; it exists with its welcome Sparks when the command returns."""
    with attached():
        from django.db import transaction

        from atelier.accounts import services as accounts
        from atelier.social import services as social

        with transaction.atomic():  # all of it or nothing
            user = accounts.create_user(
                username=name, email=email, password=password, is_staff=staff, email_verified=True
            )
            social.join(user=user)
            if sparks:
                _credit(user, sparks, kind=Kind.EARNED, reason="Credit from the operator")
            text = accounts.create_token(user=user, name=TOKEN_NAME)[1] if token else ""
        facts = {"id": user.pk, "username": user.username, "staff": user.is_staff}
        if token:
            facts["token"] = text
        show(facts, as_json=as_json, text=text or f"{user.username} has an account.")


@users.command("credit")
def credit(
    name: Name,
    amount: Annotated[int, typer.Argument(min=1, metavar="N", help="How many Sparks.")],
    reason: Annotated[str, typer.Option(help="Shown in the wallet.")],
    kind: Annotated[Kind, typer.Option(help="What they count as.")] = Kind.EARNED,
    as_json: Json = False,
) -> None:
    """Give an account Sparks."""
    with attached():
        from atelier.ledger import queries as ledger

        if not reason.strip():
            fail("--reason must say why")
        user = _user(name)
        _credit(user, amount, kind=kind, reason=reason.strip())
        available = ledger.wallet(user_id=user.pk).available
        show(
            {"username": user.username, "credited": amount, "available": available},
            as_json=as_json,
            text=f"{user.username} has {available} Sparks.",
        )


@users.command("staff")
def staff_member(name: Name) -> None:
    """Give an account the rights of staff."""
    with attached():
        from atelier.accounts import services as accounts

        user = accounts.make_staff(username=name)
        typer.echo(f"{user.username} is staff.")


@tokens.command("create")
def create_token(
    name: Name,
    label: Annotated[str, typer.Option(help="How the settings page calls it.")] = TOKEN_NAME,
    as_json: Json = False,
) -> None:
    """Print a new API token of an account; it cannot be shown again."""
    with attached():
        from atelier.accounts import services as accounts

        row, text = accounts.create_token(user=_user(name), name=label)
        show({"id": row.pk, "token": text}, as_json=as_json, text=text)


def _user(name: str) -> User:
    from atelier.accounts import queries as accounts

    user = accounts.by_username(name)
    if user is None:
        fail(f"There is no account {name}.")
    return user


def _credit(user: User, amount: int, *, kind: Kind, reason: str) -> None:
    from atelier.core.ids import new_id
    from atelier.ledger import services as ledger

    ledger.credit(
        user_id=user.pk,
        amount=amount,
        kind=kind.value,
        reason=reason,
        business_key=f"operator:{new_id('crd')}",
        actor=None,
    )
