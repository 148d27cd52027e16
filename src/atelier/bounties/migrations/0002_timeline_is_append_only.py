from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE FUNCTION bounties_timeline_refuse_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the timeline of a bounty is only added to' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER bounties_timeline_append_only
  BEFORE UPDATE OR DELETE OR TRUNCATE ON bounties_bountyevent
  FOR EACH STATEMENT EXECUTE FUNCTION bounties_timeline_refuse_v1();
"""
BACKWARD = """
DROP TRIGGER bounties_timeline_append_only ON bounties_bountyevent;
DROP FUNCTION bounties_timeline_refuse_v1();
"""


class Migration(migrations.Migration):
    dependencies = [("bounties", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
