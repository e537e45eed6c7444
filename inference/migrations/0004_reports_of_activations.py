import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0003_activations_of_uploads'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='workerreport',
            name='version',
        ),
        migrations.AlterField(
            model_name='workerreport',
            name='activation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='inference.activation'),
        ),
    ]
