"""Access tokens; the group `operator` may revoke them, and `viewer` see which there are."""

from django.contrib.auth.management import create_permissions
from django.db import migrations, models


def let_groups(apps, schema_editor):
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
    for name, codenames in (
        ("viewer", ["view_accesstoken"]),
        ("operator", ["view_accesstoken", "revoke_accesstoken"]),
    ):
        group, _ = Group.objects.using(database).get_or_create(name=name)
        group.permissions.add(*ours.filter(codename__in=codenames))


class Migration(migrations.Migration):
    dependencies = [("inference", "0008_rollups_of_every_network")]

    operations = [
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="Who has it: what the record of activations says.", max_length=100)),
                ("digest", models.CharField(editable=False, help_text="SHA-256 of the key, in hex.", max_length=64, unique=True)),
                ("rights", models.CharField(help_text="What it may do, separated by commas.", max_length=100)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("last_used_at", models.DateTimeField(editable=False, help_text="To the minute.", null=True)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("revoke_accesstoken", "Can revoke an access token")],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at__isnull", True)),
                        fields=("name",),
                        name="one_living_token_a_name",
                    )
                ],
            },
        ),
        # The groups keep it when this is undone: the permissions go with the table.
        migrations.RunPython(let_groups, migrations.RunPython.noop),
    ]
