"""What the admin's pages are about in the browser tests, on a new database, and where each page is."""

from __future__ import annotations

from itertools import count

from tests.support.samples import samples
from tests.support.system import System
from tests.support.uploads import scaled_weights
from tests.support.waiting import wait_until
from workers.settings import ROOT

BAD_FILE = ROOT / "data" / "bad_tensors.b64"
NN_ID = samples()[0].nn_id
NETWORK = f"/admin/inference/network/{NN_ID}"
RECORDS = "/admin/inference"
WRONG_ROW = [0.1, 0.2, 0.3]  # the sample networks take two numbers

#: Every page that is shown to whoever may do all; the records that they name are those of `make_content`.
PAGES = {
    "dashboard": "/admin/",
    "records": f"{RECORDS}/",
    "networks": f"{RECORDS}/network/",
    "network": f"{NETWORK}/change/",
    "upload": f"{RECORDS}/network/upload/",
    "upload of a version": f"{NETWORK}/upload/",
    "activate": f"{NETWORK}/versions/1/activate/",
    "roll back": f"{NETWORK}/rollback/",
    "delete": f"{NETWORK}/versions/1/delete/",
    "workers": "/admin/workers/",
    "activations": f"{RECORDS}/activation/",
    "activation": f"{RECORDS}/activation/2/change/",
    "failed activation": f"{RECORDS}/activation/3/change/",
    "requests": f"{RECORDS}/predictiontiming/",
    "failed requests": f"{RECORDS}/predictiontiming/?outcome=failed",
    "no requests": f"{RECORDS}/predictiontiming/?worker=nobody",
    "versions": f"{RECORDS}/version/",
    "version": f"{RECORDS}/version/3/change/",
    "users": "/admin/auth/user/",
    "user": "/admin/auth/user/1/change/",
    "new user": "/admin/auth/user/add/",
    "groups": "/admin/auth/group/",
    "group": "/admin/auth/group/1/change/",
    "tokens": f"{RECORDS}/accesstoken/",
    "token": f"{RECORDS}/accesstoken/1/change/",
    "revoke": f"{RECORDS}/accesstoken/1/revoke/",
    "own password": "/admin/password_change/",
}
#: Pages that say what cannot be done, and the status that says so.
REFUSALS = {
    "no such network": (f"{RECORDS}/network/{'f' * 32}/change/", 404),
    "active already": (f"{NETWORK}/versions/2/activate/", 409),
}


_factors = (1 - number / 1000 for number in count(1))


def new_weights() -> bytes:
    """A weights file that no worker has loaded yet."""
    return scaled_weights(0, next(_factors))


def network_page(nn_id: str) -> str:
    """Where a network's page is."""
    return f"{RECORDS}/network/{nn_id}/change/"


def make_content(system: System) -> None:
    """Upload two good files and a bad one for a network, so that version 2 is active; ask it, once impossibly; and make
    a token.
    """
    assert system.manage("create_token", "loader", "--may", "predict,weights").returncode == 0
    client = system.client
    for file, loaded in ((samples()[0].file, True), (samples()[1].file, True), (BAD_FILE, False)):
        assert client.set_weights(NN_ID, file.name, file.read_bytes())["status"] is loaded
    for _ in range(5):
        assert client.predict([0.1, 0.2])["status"] is True
    assert client.predict(WRONG_ROW)["status"] is False
    failed = "PredictionTiming.objects.filter(outcome='failed').count()"
    wait_until(lambda: system.query(failed) == 1, 30.0, "the failed request is in the database")
