"""A database whose disk is full; of the two that we run on, only SQLite can be given a limit."""

from __future__ import annotations

import io
import os

import pytest
from django.db import connection

from inference.errors import DiskFullError
from inference.models import Network, StoredFile
from inference.versions.uploads import store_upload
from tests.unit.samples import NN_ID

pytestmark = pytest.mark.django_db


def test_a_database_without_room_is_told_and_stores_nothing() -> None:
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages + 100}")
        try:
            with pytest.raises(DiskFullError, match="database's disk is full"):
                store_upload(NN_ID, "w.h5", io.BytesIO(os.urandom(4 * 1024**2)))
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert not Network.objects.exists()
    assert not StoredFile.objects.exists()
