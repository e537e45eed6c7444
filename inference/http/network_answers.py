"""What is told about networks, versions and activations, as JSON objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.request import Request

from inference.http.bodies.base64_text import encode_text
from inference.http.traces import told_of
from inference.models import Activation, Version, WorkerReport
from inference.versions.switch import SwitchResult
from workers.messages.protocol import Report
from workers.messages.terms import Terms

LOADING_FAILED = "One or more workers were failed with weights loading"


def switch_answer(result: SwitchResult, request: Request) -> dict[str, Any]:
    """The answer to an upload, an activation and a rollback, for who asks."""
    activation = result.activation
    return {
        "status": result.loaded,
        "message": "OK" if result.loaded else LOADING_FAILED,
        "workers_count": len(result.reports),
        "workers": [report_answer(report, request) for report in result.reports],
        "version": activation.version.number,
        "nn_id": activation.version.network_id,
        "previous_version": _number(activation.previous),
        "workers_asked": activation.workers_asked,
        "workers_answered": activation.workers_answered,
    }


def report_answer(report: Report | WorkerReport, request: Request) -> dict[str, Any]:
    """One worker's report; a trace only when it failed, and as much of it as who asks may see."""
    if report.loaded:
        told = {"result": True, "worker": report.worker}
        return {**told, "remarks": report.remarks} if report.remarks else told
    return {"result": False, "trace": encode_text(told_of(report.trace, request)), "worker": report.worker}


def network_answer(network: Any) -> dict[str, Any]:
    """A network as `history.networks` gives it."""
    return {
        "nn_id": network.nn_id,
        "name": network.name,
        "active_version": _number(network.active),
        "default": network.is_default,
        "versions_count": network.versions_count,
        "last_upload": network.last_upload,
    }


def labels_answer(network: Any) -> dict[str, int]:
    """The versions that a network's labels stand for."""
    return dict(network.labels.values_list("label", "version__number"))


def version_answer(version: Version, active_number: int | None) -> dict[str, Any]:
    """A version, and whether it is its network's active one."""
    return {
        "number": version.number,
        "state": version.state,
        "active": version.number == active_number,
        "file_name": version.file_name,
        "size": version.weights.size,
        "digest": version.weights_id,
        "architecture": version.architecture_id,
        "uploaded_at": version.uploaded_at,
        "remarks": version.remarks,
    }


def terms_answer(terms: Terms | None) -> dict[str, Any] | None:
    """What came with a version's upload."""
    if terms is None:
        return None
    expected = terms.expected
    held = {"examples": expected.rows_count, "tolerance": expected.tolerance} if expected else {"examples": 0}
    return {"order": list(terms.order), **held}


def activation_answers(activations: Iterable[Activation], request: Request) -> list[dict[str, Any]]:
    """Activations with every worker's report."""
    return [
        {
            "kind": activation.kind,
            "outcome": activation.ending,
            "requested_by": activation.requested_by,
            "started_at": activation.started_at,
            "seconds": activation.seconds,
            "previous_version": _number(activation.previous),
            "workers_asked": activation.workers_asked,
            "workers_answered": activation.workers_answered,
            "detail": activation.detail,
            "reports": [
                {**report_answer(report, request), "seconds": report.seconds} for report in activation.reports.all()
            ],
        }
        for activation in activations
    ]


def _number(version: Version | None) -> int | None:
    return version.number if version else None
