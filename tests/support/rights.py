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
        ("PUT", "/set_weights", WEIGHTS),
    ]
