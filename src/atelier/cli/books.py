"""``atelier ledger``."""

from __future__ import annotations

from typing import Annotated

import typer

from atelier.cli.attach import attached, show

app = typer.Typer(help="The books.", no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """The books."""


@app.command("verify")
def verify(
    as_json: Annotated[bool, typer.Option("--json", help="Answer for a program.")] = False,
) -> None:
    """Add everything up again; exit code 0 only when nothing differs."""
    with attached():
        from atelier.ledger import queries

        found = queries.verify()
        lines = [f"{found.transfers} transfers, {found.differences} differences."]
        lines += [f"  {finding}" for finding in found.findings]
        show(
            {
                "ok": found.ok,
                "differences": found.differences,
                "transfers": found.transfers,
                "findings": list(found.findings),
            },
            as_json=as_json,
            text="\n".join(lines),
        )
        if not found.ok:
            raise typer.Exit(1)
