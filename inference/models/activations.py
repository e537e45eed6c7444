"""Attempts to make a version active, and what each worker reported."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from inference.models.networks import Version
from workers.settings import settings as shared_settings

#: What an activation may take beyond the load timeout: reaching the broker, a roll call, the database.
ACTIVATION_MARGIN_SECONDS = 60.0


class Activation(models.Model):
    """One attempt to make a version active: who asked for it, what it replaced, how long it took and how it ended."""

    class Kind(models.TextChoices):
        """What asked for it."""

        UPLOAD = "upload"
        ACTIVATE = "activate"
        ROLLBACK = "rollback"

    class Outcome(models.TextChoices):
        """How it ended."""

        RUNNING = "running", "running"
        ACTIVATED = "activated", "activated: every worker had loaded it"
        FAILED = "failed", "failed: a worker could not load it or was silent, or it was deleted meanwhile"
        NO_WORKERS = "no_workers", "no worker was connected"
        NOT_FIRST = "not_first", "another network was active, and nothing was to be replaced"
        UNAVAILABLE = "unavailable", "the broker or the database failed, or it was interrupted"

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="activations")
    previous = models.ForeignKey(
        Version,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What was active when it ended; none while it runs.",
    )
    kind = models.CharField(max_length=8, choices=Kind)
    requested_by = models.CharField(max_length=255, help_text="The user's name, else the client's address.")
    started_at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField(null=True, help_text="How long it took; none while it runs.")
    outcome = models.CharField(max_length=11, choices=Outcome, default=Outcome.RUNNING)
    workers_asked = models.PositiveIntegerField(default=0)
    workers_answered = models.PositiveIntegerField(default=0)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.version} at {self.started_at:%Y-%m-%d %H:%M:%S}"

    @property
    def interrupted(self) -> bool:
        """Whether it runs longer than any does: the gateway process that ran it has died."""
        longest = timedelta(seconds=shared_settings().load_timeout_seconds + ACTIVATION_MARGIN_SECONDS)
        return self.outcome == self.Outcome.RUNNING and timezone.now() - self.started_at > longest

    @property
    def ending(self) -> str:
        """The outcome's one word; `interrupted` for one that will never end."""
        return "interrupted" if self.interrupted else self.outcome


class WorkerReport(models.Model):
    """What one worker answered when it was told to load a version."""

    activation = models.ForeignKey(Activation, on_delete=models.CASCADE, related_name="reports")
    worker = models.CharField(max_length=255)
    loaded = models.BooleanField()
    trace = models.TextField(blank=True, help_text="The stack trace when it was not loaded.")
    seconds = models.FloatField(help_text="How long the worker took.")
    remarks = models.JSONField(default=list, blank=True, help_text="What is to be known about how it answers.")
    reported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["worker"]

    def __str__(self) -> str:
        return f"{self.worker}: {'loaded' if self.loaded else 'failed'}"
