"""The REST interface's addresses, each with the right that it needs."""

from __future__ import annotations

from inference.access.rights import PREDICT, STATUS, WEIGHTS


def endpoints(nn_id: str) -> list[tuple[str, str, str]]:
    """Method, address and right of each that needs one; those under /networks are of this network."""
    network = f"/networks/{nn_id}"
    return [
        ("POST", "/predict", PREDICT),
        ("GET", "/status", STATUS),
        ("GET", "/metrics", STATUS),
        ("GET", "/networks", STATUS),
        ("GET", network, STATUS),
        ("GET", f"{network}/versions/1", STATUS),
        ("DELETE", f"{network}/versions/1", WEIGHTS),
        ("GET", f"{network}/versions/1/weights", WEIGHTS),
        ("HEAD", f"{network}/versions/1/weights", WEIGHTS),
        ("POST", f"{network}/activate", WEIGHTS),
        ("POST", f"{network}/rollback", WEIGHTS),
        ("PUT", f"{network}/labels/stable", WEIGHTS),
        ("PUT", "/set_weights", WEIGHTS),
        *_of_protocols(nn_id),
    ]


def _of_protocols(nn_id: str) -> list[tuple[str, str, str]]:
    v2, v1 = f"/v2/models/{nn_id}", f"/v1/models/{nn_id}"
    versions = ("", "/versions/1")
    return [
        ("GET", "/v2/models/stats", STATUS),
        ("POST", "/v2/repository/index", STATUS),
        ("POST", f"/v2/repository/models/{nn_id}/unload", WEIGHTS),
        ("POST", f"/v2/repository/models/{nn_id}/load", WEIGHTS),  # which has it answer again
        *(("POST", f"{v2}{version}/infer", PREDICT) for version in versions),
        *(("GET", f"{v2}{version}{what}", PREDICT) for version in versions for what in ("", "/ready", "/config")),
        *(("GET", f"{v2}{version}/stats", STATUS) for version in versions),
        ("GET", "/v1/models", STATUS),
        *(
            (method, f"{v1}{which}{what}", PREDICT)
            for which in (*versions, "/labels/stable")
            for method, what in (("POST", ":predict"), ("GET", ""), ("GET", "/metadata"))
        ),
    ]
