"""What the database itself refuses, and the one function that posts."""

from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).parent / "sql"


def statements(name: str) -> list[str]:
    return (FOLDER / name).read_text(encoding="utf-8").split("\n-----\n")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [
        migrations.RunSQL(statements("rules_v1.sql"), elidable=False),
        migrations.RunSQL(statements("post_v1.sql"), elidable=False),
    ]
