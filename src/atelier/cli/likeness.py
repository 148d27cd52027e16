"""``atelier likeness``: what the protection does, and its brakes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from atelier.cli.attach import attached, show

app = typer.Typer(help="Protection of real people's likeness.", no_args_is_help=True)


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


@app.command("status")
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Answer for a program.")] = False,
) -> None:
    """Which detectors are present and which capabilities are stopped."""
    with attached():
        from atelier.likeness import queries

        facts = queries.status()
        show(
            facts,
            as_json=as_json,
            text="\n".join(f"{name}: {value}" for name, value in facts.items()),
        )


@app.command("kill-switch")
def kill_switch(
    capability: Annotated[
        str, typer.Argument(help="likeness, uploads, training, generation or mature.")
    ],
    switch: Annotated[Switch, typer.Argument(help="on stops the capability, off lets it go on.")],
) -> None:
    """Stop a capability for everybody at once, or let it go on. The rules themselves stay."""
    with attached():
        from atelier.likeness import services

        services.kill_switch(capability=capability, on=switch is Switch.ON, actor=None)
        state = "stopped" if switch is Switch.ON else "allowed"
        typer.echo(f"{capability} is {state}.")
