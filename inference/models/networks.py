"""What the database remembers: files, networks, their versions and activations, reports, and request timings."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from workers.messages.protocol import VersionRef
from workers.settings import settings as shared_settings

#: What an activation may take beyond the load timeout: reaching the broker, a roll call, the database.
ACTIVATION_MARGIN_SECONDS = 60.0


class StoredFile(models.Model):
    """Bytes named by their SHA-256: weights as they were uploaded, and architectures.

    The record stays when the bytes are deleted, so a file may have no chunks.
    """

    digest = models.CharField(primary_key=True, max_length=64, help_text="SHA-256 of the bytes, in hex.")
    size = models.BigIntegerField(help_text="Bytes.")
    stored_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.digest[:12]}… ({self.size} bytes)"


class FileChunk(models.Model):
    """A part of a stored file, small enough to be one message and one row."""

    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="chunks")
    offset = models.BigIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "offset"], name="one_chunk_an_offset")]

    def __str__(self) -> str:
        return f"{self.file_id} from {self.offset}"


class Network(models.Model):
    """A neural network, named by its `nn_id`; `active` is the version that predictions are made with."""

    nn_id = models.CharField(primary_key=True, max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    active = models.OneToOneField(
        "Version", null=True, blank=True, on_delete=models.PROTECT, related_name="active_for", editable=False
    )

    def __str__(self) -> str:
        return self.nn_id


class DefaultNetwork(models.Model):
    """The network that `/predict` uses when none is named: a table of one row."""

    ONLY_ID = 1

    network = models.ForeignKey(Network, on_delete=models.PROTECT)

    def __str__(self) -> str:
        return str(self.network_id)


class Version(models.Model):
    """One upload for a network: 1, 2, 3 …"""

    class State(models.TextChoices):
        """How the version fared on the workers."""

        PENDING = "pending", "pending: no worker has loaded it yet"
        LOADED = "loaded", "loaded by every worker"
        FAILED = "failed", "failed on at least one worker"
        DELETED = "deleted", "deleted: its weights are gone, the record stays"

    network = models.ForeignKey(Network, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    weights = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    architecture = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=255)
    uploaded_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["network", "number"], name="one_version_a_number")]
        ordering = ["-uploaded_at", "-id"]
        permissions = [("activate_version", "Can activate a version and roll a network back")]

    def __str__(self) -> str:
        return f"{self.network_id} version {self.number}"

    def ref(self) -> VersionRef:
        """How messages name this version."""
        return VersionRef(self.network_id, self.number, self.weights_id, self.architecture_id)


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
    reported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["worker"]

    def __str__(self) -> str:
        return f"{self.worker}: {'loaded' if self.loaded else 'failed'}"


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
