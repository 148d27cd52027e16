"""Transfers a second of the posting function, against pgbench's own transaction.

Both run under pgbench on the same cluster with fsync on, interleaved, so the machine's mood hits
both. ``simple-update`` changes one row and adds one; a transfer looks up its key, locks two
balances, adds a transfer and two postings, and has it all checked by triggers.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.database import fresh
from django.db import connection

if TYPE_CHECKING:
    from atelier.core.postgres import Connection

PEOPLE = 10_000
ROUNDS = 3
SECONDS = 3
CLIENTS = (8, 32)
POST = """SELECT status FROM ledger_post_v1({kind}, 'trf_' || gen_random_uuid(),
  gen_random_uuid()::text, {payer}, {payee}, 1, '', {platform}, '', '', {hold}, 'bench', '', '',
  NULL, now());"""
SCRIPTS = {
    "payment": "\\set payer random(1, {n})\n\\set step random(1, {n} - 1)\n"
    "\\set payee (:payer + :step - 1) % {n} + 1\n"
    + POST.format(kind="'pay'", payer=":payer", payee=":payee", platform="''", hold="''"),
    "reward": "\\set payee random(1, {n})\n"
    + POST.format(
        kind="'credit'", payer="NULL", payee=":payee", platform="'rewards'", hold="''"
    ).replace("1, ''", "1, 'earned'"),
    "hold": "\\set payer random(1, {n})\n"
    + POST.format(
        kind="'hold'", payer=":payer", payee="NULL", platform="''",
        hold="gen_random_uuid()::text",
    ),
}  # fmt: skip


def _prepare() -> None:
    """People with a lot of Sparks."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO accounts_user (username, email, password, is_superuser, is_staff,
              is_active, is_demo, created_by_operator, display_name, bio, bio_html, links,
              avatar_media_id, suspension_reason, browsing_level, date_joined)
            SELECT 'person_' || n, 'person_' || n || '@example.org', '', false, false, true, false,
              true, '', '', '', '{}', '', '', 3, now() FROM generate_series(1, %s) AS n
            """,
            [PEOPLE],
        )
        cursor.execute(
            """
            SELECT count(*) FROM generate_series(1, %s) AS n, LATERAL ledger_post_v1(
              'credit', 'trf_start' || n, 'start:' || n, NULL, n, 1000000, 'bought', 'operator',
              '', '', '', 'bench', '', '', NULL, now()) AS made
            """,
            [PEOPLE],
        )


def _pgbench(cluster: Connection, *options: str) -> str:
    address = cluster.address
    done = subprocess.run(
        [
            str(cluster.programs / "pgbench"), "-h", str(address.socket_folder),
            "-p", str(address.port), "-U", address.user, *options, address.database,
        ],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


def _tps(cluster: Connection, clients: int, *options: str) -> float:
    out = _pgbench(
        cluster, "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(SECONDS), *options
    )
    found = re.search(r"tps = ([\d.]+)", out)
    failed = re.search(r"number of failed transactions: (\d+)", out)
    if found is None or failed is None or failed[1] != "0":
        raise RuntimeError(out)
    return float(found[1])


def main() -> None:
    """Measures and prints ratios."""
    with fresh() as cluster, tempfile.TemporaryDirectory() as folder:
        _prepare()
        _pgbench(cluster, "-i", "-q", "-s", "20")
        for name, text in SCRIPTS.items():
            Path(folder, name).write_text(text.replace("{n}", str(PEOPLE)), encoding="utf-8")
        for clients in CLIENTS:
            figures: dict[str, list[float]] = {"pgbench": [], **{name: [] for name in SCRIPTS}}
            for _ in range(ROUNDS):
                figures["pgbench"].append(_tps(cluster, clients, "-N"))
                for name in SCRIPTS:
                    figures[name].append(_tps(cluster, clients, "-f", str(Path(folder, name))))
            limit = statistics.median(figures["pgbench"])
            print(f"{clients} clients: pgbench simple-update {limit:,.0f} a second")
            for name in SCRIPTS:
                tps = statistics.median(figures[name])
                print(f"  {name}: {tps:,.0f} a second, {tps / limit:.2f} of pgbench")
        from atelier.ledger import queries

        found = queries.verify()
        print(f"verified {found.transfers:,} transfers: {found.differences} differences")
        if not found.ok:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
