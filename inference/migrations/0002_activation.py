import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='version',
            name='state',
            field=models.CharField(choices=[('pending', 'pending: no worker has loaded it yet'), ('loaded', 'loaded by every worker'), ('failed', 'failed on at least one worker'), ('deleted', 'deleted: its weights are gone, the record stays')], default='pending', max_length=8),
        ),
        migrations.CreateModel(
            name='Activation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('upload', 'Upload'), ('activate', 'Activate'), ('rollback', 'Rollback')], max_length=8)),
                ('requested_by', models.CharField(help_text="The user's name, else the client's address.", max_length=255)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('seconds', models.FloatField(help_text='How long it took; none while it runs.', null=True)),
                ('outcome', models.CharField(choices=[('running', 'running'), ('activated', 'activated: every worker had loaded it'), ('failed', 'failed: a worker could not load it or was silent, or it was deleted meanwhile'), ('no_workers', 'no worker was connected'), ('unavailable', 'the broker or the database failed, or it was interrupted')], default='running', max_length=11)),
                ('workers_asked', models.PositiveIntegerField(default=0)),
                ('workers_answered', models.PositiveIntegerField(default=0)),
                ('detail', models.TextField(blank=True)),
                ('previous', models.ForeignKey(help_text='What was active when it ended; none while it runs.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference.version')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='activations', to='inference.version')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AlterField(
            model_name='workerreport',
            name='version',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='inference.version'),
        ),
        migrations.AddField(
            model_name='workerreport',
            name='activation',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='inference.activation'),
        ),
    ]
