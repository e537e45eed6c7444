"""Who may do what in the admin: the groups `viewer` and `operator`; and an index of the requests that failed."""

from django.contrib.auth.management import create_permissions
from django.db import migrations, models

CHANGES = ["add_version", "activate_version", "delete_version"]


def make_groups(apps, schema_editor):
    database = schema_editor.connection.alias
    # Django makes permissions after the last migration, and they are needed now.
    for config in apps.get_app_configs():
        if config.label == "inference":
            config.models_module = True
            create_permissions(config, verbosity=0, using=database, apps=apps)
            config.models_module = None
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    ours = Permission.objects.using(database).filter(content_type__app_label="inference")
    views = list(ours.filter(codename__startswith="view_"))
    for name, permissions in (
        ("viewer", views),
        ("operator", [*views, *ours.filter(codename__in=CHANGES)]),
    ):
        group, _ = Group.objects.using(database).get_or_create(name=name)
        group.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0005_statistics"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="version",
            options={
                "ordering": ["-uploaded_at", "-id"],
                "permissions": [("activate_version", "Can activate a version and roll a network back")],
            },
        ),
        migrations.AddIndex(
            model_name="predictiontiming",
            index=models.Index(
                condition=models.Q(("outcome", "answered"), _negated=True),
                fields=["at"],
                name="requests_not_answered",
            ),
        ),
        # The groups stay when this is undone: people may be in them.
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
