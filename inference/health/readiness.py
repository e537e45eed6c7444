"""Whether this gateway can answer predictions now, and if not, why: what `GET /readyz` tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import Error as DatabaseError

from inference.errors import InferenceError
from inference.health.health_checks import HealthChecks


@dataclass(frozen=True)
class Check:
    """One thing that predictions need; `reason` says what is missing, and is empty when nothing is."""

    name: str
    reason: str

    @property
    def passed(self) -> bool:
        """Whether it is there."""
        return not self.reason


def check_readiness(health: HealthChecks) -> list[Check]:
    """Everything that predictions need, looked at once a second at most and for a few seconds at most."""
    database, broker = Check("database", _reason(health.served)), Check("broker", _reason(health.workers))
    if database.passed and broker.passed:
        workers = _workers_reason(health)
    else:
        workers = "not known while the database or the broker does not answer"
    return [database, broker, Check("workers", workers)]


def _reason(look: Callable[[], object]) -> str:
    try:
        look()
    except TimeoutError:
        return "no answer in time"
    except InferenceError as error:
        return str(error)
    except DatabaseError as error:
        return f"cannot be reached ({type(error).__name__})"  # the text may name its host and user
    return ""


def _workers_reason(health: HealthChecks) -> str:
    served, answers = health.served(), health.workers()
    default = served.default
    if default is None and not served.others:
        return "no network is active yet: send weights with PUT /set_weights"
    if not answers.messages:
        return f"{answers.silent} connected, none answers" if answers.silent else "no worker is connected"
    # Where the default network alone is not active, who names another one is answered.
    if default is not None and not any(worker.nn_id == default.nn_id for worker in answers.messages):
        return f"none of {len(answers.messages)} has loaded the default network {default.nn_id} yet"
    return ""
