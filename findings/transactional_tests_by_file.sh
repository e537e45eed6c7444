#!/usr/bin/env bash
# pytest-django runs the tests that empty the database last, so that others find what migrations have put there. With
# pytest-xdist's `--dist=loadfile` a file's tests stay together, and that order holds within a file only: a file with one
# such test beside others takes the migrations' rows from all files that the same process runs after it. Neither says so.
#
# Versions: django 5.2.19, pytest 9.2.0, pytest-django 4.14.0, pytest-xdist 3.8.0.
# Seen: without xdist `3 passed`; with `-n 1 --dist=loadfile` `1 failed, 2 passed`, the row of the migration is not there.
# Fails when that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install django==5.2.19 pytest==9.2.0 pytest-django==4.14.0 pytest-xdist==3.8.0
cd "$folder"
mkdir -p shop/migrations
touch shop/__init__.py shop/migrations/__init__.py
cat >settings.py <<'PYTHON'
SECRET_KEY = "only here"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PYTHON
cat >shop/models.py <<'PYTHON'
from django.db import models


class Country(models.Model):
    name = models.CharField(max_length=10)
PYTHON
cat >shop/migrations/0001_initial.py <<'PYTHON'
from django.db import migrations, models


def fill(apps, schema_editor):
    apps.get_model("shop", "Country").objects.create(name="Chile")


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Country", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=10))]),
        migrations.RunPython(fill),
    ]
PYTHON
cat >test_a_emptying.py <<'PYTHON'
import pytest


@pytest.mark.django_db
def test_something():
    pass


@pytest.mark.django_db(transaction=True)
def test_something_in_transactions_of_its_own():
    pass
PYTHON
cat >test_b_reading.py <<'PYTHON'
import pytest
from shop.models import Country


@pytest.mark.django_db
def test_what_the_migration_has_put_there():
    assert Country.objects.count() == 1
PYTHON
outcome() { DJANGO_SETTINGS_MODULE=settings PYTHONPATH=. "$folder/venv/bin/python" -m pytest -q -p no:cacheprovider "$@" 2>&1 | tail -1 || true; }
alone=$(outcome)
by_file=$(outcome -n 1 --dist=loadfile --no-loadscope-reorder)
printf 'in one process:     %s\nby file, in another: %s\n' "$alone" "$by_file"
[[ $alone == '3 passed'* && $by_file == '1 failed, 2 passed'* ]]
