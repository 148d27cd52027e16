"""``atelier up``, ``worker`` and ``demo``: the processes of a site."""

from __future__ import annotations

from typing import Annotated

import typer

from atelier.cli.attach import attached, load_settings, show


def up() -> None:
    """Start the whole site: database, web, live events, workers; Ctrl-C stops all of it."""
    load_settings()
    from atelier.cli import supervisor

    raise typer.Exit(supervisor.run())


def worker(
    queues: Annotated[
        str, typer.Option(help="Names with commas between: default,media,generation,training,gpu.")
    ] = "default,media",
    name: Annotated[str, typer.Option(help="How the worker is called in logs.")] = "worker",
    concurrency: Annotated[int, typer.Option(min=1, help="Tasks at a time.")] = 1,
) -> None:
    """Carry out queued tasks, on this machine or on any other that reaches the database."""
    with attached(tables=False):
        from atelier.core import worker as core_worker

        core_worker.run(
            queues=[part.strip() for part in queues.split(",") if part.strip()],
            name=name,
            concurrency=concurrency,
        )


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Answer for a program.")] = False,
) -> None:
    """Load the demo community, once; prints a login. Only for sites on loopback."""
    import io
    import json

    with attached():
        from django.core.management import call_command

        # By name: the command line and the demo community know nothing of each other.
        out = io.StringIO()
        call_command("load_demo", stdout=out)
        login = json.loads(out.getvalue())
        show(
            login,
            as_json=as_json,
            text=f"Demo login: {login['username']}   password: {login['password']}",
        )
