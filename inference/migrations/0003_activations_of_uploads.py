"""Every upload that workers reported on gets the activation that it had.

A migration of its own: PostgreSQL alters no table whose rows were changed in the same transaction.
"""

from django.db import migrations
from django.db.models import Q

SILENT = "(silent)"
#: A pending version with reports: its gateway process ended between the two.
OUTCOME_OF = {"loaded": "activated", "failed": "failed", "pending": "unavailable"}


def make_activations(apps, schema_editor):
    """One activation an upload, in the order of the uploads; its reports become the activation's."""
    Activation = apps.get_model("inference", "Activation")
    Version = apps.get_model("inference", "Version")
    WorkerReport = apps.get_model("inference", "WorkerReport")
    # Until now only uploads made versions active, so what was active before is the version loaded before.
    active = {}
    tried = Version.objects.filter(~Q(state="pending") | Q(reports__isnull=False)).distinct()
    for version in list(tried.order_by("id")):
        reports = WorkerReport.objects.filter(version=version)
        rows = list(reports.values_list("worker", "seconds"))
        activation = Activation.objects.create(
            version=version,
            previous_id=active.get(version.network_id),
            kind="upload",
            requested_by="",
            started_at=version.uploaded_at,
            seconds=max((seconds for _, seconds in rows), default=0.0),
            outcome=OUTCOME_OF[version.state],
            workers_asked=len(rows),
            workers_answered=sum(worker != SILENT for worker, _ in rows),
            detail="made by a migration from the upload and its reports",
        )
        reports.update(activation=activation)
        if version.state == "loaded":
            active[version.network_id] = version.id


def return_reports(apps, schema_editor):
    """Reports belong to versions again; what else activations tell is lost."""
    for report in apps.get_model("inference", "WorkerReport").objects.select_related("activation"):
        report.version_id = report.activation.version_id
        report.save(update_fields=["version"])


class Migration(migrations.Migration):

    dependencies = [
        ("inference", "0002_activation"),
    ]

    operations = [
        migrations.RunPython(make_activations, return_reports),
    ]
