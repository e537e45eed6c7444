"""A sample and somebody's upload become the default network in the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from inference.errors import AlreadyActiveError
from inference.models import Activation, DefaultNetwork, Network
from inference.versions import services
from inference.versions.uploads import store_version
from tests.support.waiting import wait_until
from tests.unit.samples import NN_ID, OTHER_NN_ID

WAITING_FOR_A_LOCK = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def begun(nn_id: str) -> Activation:
    version = store_version(nn_id, "weights.b64", nn_id.encode(), b"{}")
    return services.begin(version, Activation.Kind.UPLOAD, "somebody")


def commit_sample(activation: Activation) -> None:
    try:
        services.commit(activation, only_first=True)
    finally:
        connection.close()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction, it would see what it saw at first
        cursor.execute(WAITING_FOR_A_LOCK)
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_sample_that_comes_second_in_the_same_moment_replaces_nothing() -> None:
    sample, users = begun(NN_ID), begun(OTHER_NN_ID)
    if connection.vendor == "postgresql":
        with ThreadPoolExecutor(1) as elsewhere:
            with transaction.atomic():
                services.commit(users)
                second = elsewhere.submit(commit_sample, sample)
                wait_until(somebody_waits, 10.0, "the sample's commit waits for the other one")
            with pytest.raises(AlreadyActiveError):
                second.result(timeout=10.0)
    else:  # SQLite has one who writes at a time: the second one begins when the first has ended
        services.commit(users)
        with pytest.raises(AlreadyActiveError):
            services.commit(sample, only_first=True)

    assert DefaultNetwork.objects.get().network_id == OTHER_NN_ID
    assert Network.objects.get(nn_id=NN_ID).active is None
