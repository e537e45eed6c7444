"""Rows of statistics for all networks together, made of those that there are, and an index that leads to a network's."""

from itertools import groupby

from django.db import migrations, models

EVERY_NETWORK = "*"
KEY = ("period_seconds", "start", "worker")
SUMS = ("answered", "failed", "timed_out", "refused", "rows", "total_ms", "queue_ms", "inference_ms")
ROWS_AT_ONCE = 2000


def sum_up(apps, schema_editor):
    rollups = apps.get_model("inference", "Rollup").objects.using(schema_editor.connection.alias)
    rows = rollups.order_by(*KEY).values_list(*KEY, *SUMS, "histogram").iterator(ROWS_AT_ONCE)
    made = []
    for key, several in groupby(rows, key=lambda row: row[: len(KEY)]):
        *numbers, histograms = zip(*(row[len(KEY) :] for row in several), strict=True)
        made.append(
            rollups.model(
                nn_id=EVERY_NETWORK,
                version=0,
                writer="migration",
                histogram=b"".join(histograms),  # which is their sum
                **dict(zip(KEY, key, strict=True)),
                **dict(zip(SUMS, map(sum, numbers), strict=True)),
            )
        )
    rollups.bulk_create(made, batch_size=500)


def forget(apps, schema_editor):
    rollups = apps.get_model("inference", "Rollup").objects.using(schema_editor.connection.alias)
    rollups.filter(nn_id=EVERY_NETWORK).delete()


class Migration(migrations.Migration):
    dependencies = [("inference", "0007_permissions")]

    operations = [
        migrations.AddIndex(
            model_name="rollup",
            index=models.Index(fields=["nn_id", "period_seconds", "start"], name="rollups_by_network"),
        ),
        migrations.RunPython(sum_up, forget),
    ]
