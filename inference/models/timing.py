"""How requests went."""

from __future__ import annotations

from django.db import models

#: The protocols by which predictions are asked for.
DOORS = ("predict", "v2", "v1", "grpc", "amqp")


class PredictionTiming(models.Model):
    """How one prediction request went, and how long each part of it took."""

    class Outcome(models.TextChoices):
        """How a request ended."""

        ANSWERED = "answered"
        FAILED = "failed"
        TIMED_OUT = "timed_out"
        REFUSED = "refused"

    at = models.DateTimeField(db_index=True)
    nn_id = models.CharField(max_length=32, blank=True)
    door = models.CharField(
        max_length=16, blank=True, db_default="", help_text="What it came by: /predict, v2, v1, gRPC, AMQP."
    )
    version = models.PositiveIntegerField(null=True, blank=True)
    worker = models.CharField(max_length=255, blank=True)
    rows = models.PositiveIntegerField()
    batch_rows = models.PositiveIntegerField(help_text="Rows of the batch that the request travelled in.")
    total_ms = models.FloatField()
    queue_ms = models.FloatField(help_text="From arrival until the batch was sent.")
    inference_ms = models.FloatField(help_text="The call of the network, for the whole batch.")
    outcome = models.CharField(max_length=10, choices=Outcome)

    class Meta:
        indexes = [
            # Of the few that an operator looks for; it costs the others nothing.
            models.Index(fields=["at"], condition=~models.Q(outcome="answered"), name="requests_not_answered")
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.outcome} {self.total_ms:.1f} ms"
