"""The ``atelier`` command's table of contents."""

from __future__ import annotations

import typer

from atelier.cli import archive, books, checkup, likeness, people, service

app = typer.Typer(
    name="atelier",
    help="Run and look after an Atelier site.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(service.up)
app.command("worker")(service.worker)
app.command("demo")(service.demo)
app.command("doctor")(checkup.doctor)
app.command("backup")(archive.backup)
app.command("restore")(archive.restore)
app.add_typer(people.users, name="user")
app.add_typer(people.tokens, name="token")
app.add_typer(books.app, name="ledger")
app.add_typer(likeness.app, name="likeness")
