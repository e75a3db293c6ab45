"""Those announced before ask for a bed from now on, as those announced later do."""

from django.db import migrations

# The last announcement of each stay that is still expected, as `wards.projection` reads it. The
# next message of each stay projects it anew and puts right what a merger or an alias hides here.
FILL = """
INSERT INTO wards_bedrequest (episode_id, kind, from_ward_id, ward_id, period, key)
SELECT e.id, 'expected', NULL, coalesce(said.wanted_ward_id, said.ward_id),
       tstzrange(said.occurred_at, NULL), said.key
  FROM patients_episode e
 CROSS JOIN LATERAL (
       SELECT m.* FROM wards_movement m
        WHERE m.visit_id = e.visit_id AND m.kind = 'expected'
        ORDER BY m.occurred_at DESC, m.sent_at DESC, m.key DESC
        LIMIT 1) said
 WHERE e.status = 'expected'
   AND NOT EXISTS (SELECT 1 FROM wards_bedrequest r
                    WHERE r.episode_id = e.id AND upper_inf(r.period))
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("wards", "0007_placing")]

    operations = [
        migrations.RunSQL(FILL, "DELETE FROM wards_bedrequest WHERE kind = 'expected'"),
    ]
