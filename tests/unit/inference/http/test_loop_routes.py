"""Which requests the event loop answers, and what their addresses name."""

from __future__ import annotations

import pytest

from inference.http.loop_routes import LoopRoutes
from inference.http.open_inference.infer_door import InferDoor
from inference.http.predict_door import PredictDoor
from inference.http.tensorflow_serving.rows_door import RowsDoor
from tests.unit.samples import NN_ID

LONGEST = "x" * 128


@pytest.mark.parametrize(
    ("path", "kind", "named"),
    [
        ("/predict", PredictDoor, ()),
        ("/v2/models/iris/infer", InferDoor, ("iris", None)),
        (f"/v2/models/{NN_ID}/versions/12/infer", InferDoor, (NN_ID, "12")),
        (f"/v2/models/{LONGEST}/versions/999999999/infer", InferDoor, (LONGEST, "999999999")),
        ("/v2/models/infer/infer", InferDoor, ("infer", None)),
        ("/v2/models/A.b-c_1/infer", InferDoor, ("A.b-c_1", None)),
        ("/v1/models/iris:predict", RowsDoor, ("iris", None, None)),
        ("/v1/models/iris/versions/3:predict", RowsDoor, ("iris", "3", None)),
        ("/v1/models/iris/labels/3:predict", RowsDoor, ("iris", None, "3")),
        ("/v1/models/iris/labels/stable:predict", RowsDoor, ("iris", None, "stable")),
    ],
)
def test_predictions_are_by_whatever_protocol(path: str, kind: type, named: tuple[str | None, ...]) -> None:
    route = LoopRoutes().find("POST", path)

    assert route is not None
    door, found = route
    assert (type(door), tuple(found)) == (kind, named)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/predict/", "/v2", "/v2/models/iris", "/v2/models/iris/ready", "/v2/models//infer",
     "/v2/models/a b/infer",
     "/v2/models/iris/versions/0/infer", "/v2/models/iris/versions/03/infer", "/v2/models/iris/versions/-1/infer",
     "/v2/models/iris/versions/1234567890/infer", "/v2/models/iris/infer/", "/v2/models/iris/infer\n",
     f"/v2/models/{LONGEST}x/infer", "/v2/models/iris/versions/\u0661/infer", "/v2/models/é/infer",
     "/v1/models/iris/predict",
     "/v1/models/iris/labels/:predict", "/v1/models/iris:predict/", "/v1/models/iris:classify",
     "/v2/models/../infer/x"],
)  # fmt: skip
def test_all_else_is_djangos(path: str) -> None:
    assert LoopRoutes().find("POST", path) is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "post", "OPTIONS", ""])
def test_so_is_every_other_method(method: str) -> None:
    for path in ("/predict", "/v2/models/iris/infer", "/v1/models/iris:predict"):
        assert LoopRoutes().find(method, path) is None


def test_all_doors_share_the_room_for_large_bodies() -> None:
    routes = LoopRoutes()
    doors = [routes.find("POST", path) for path in ("/predict", "/v2/models/iris/infer", "/v1/models/iris:predict")]

    assert {id(route[0]._large_bodies) for route in doors if route} == {id(routes.large_bodies)}
