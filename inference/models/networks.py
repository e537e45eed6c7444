"""Networks, their versions, and the files that versions are made of."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from inference.models.names import NAME, NAME_CHARACTERS_MAX, NAME_RULE
from workers.messages.protocol import VersionRef


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
    name = models.CharField(
        max_length=NAME_CHARACTERS_MAX,
        null=True,
        blank=True,
        unique=True,
        validators=[RegexValidator(NAME, NAME_RULE)],
        help_text=f"What it is also called in addresses: {NAME_RULE}.",
    )
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
    terms = models.ForeignKey(
        StoredFile,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What came with the upload: the order of its layers, and examples that must hold.",
    )
    file_name = models.CharField(max_length=255)
    uploaded_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    remarks = models.JSONField(
        default=list, blank=True, help_text="What workers have reported about how it answers, a sentence each."
    )
    signature = models.JSONField(
        null=True, blank=True, help_text="Its inputs and outputs, as workers have reported them."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["network", "number"], name="one_version_a_number")]
        ordering = ["-uploaded_at", "-id"]
        permissions = [("activate_version", "Can activate a version and roll a network back")]

    def __str__(self) -> str:
        return f"{self.network_id} version {self.number}"

    def own_files(self) -> list[str]:
        """The digests of what was uploaded for it alone: other versions may have the same, none needs it later."""
        return [self.weights_id, *([self.terms_id] if self.terms_id else [])]

    def ref(self) -> VersionRef:
        """How messages name this version."""
        return VersionRef(self.network_id, self.number, self.weights_id, self.architecture_id, self.terms_id)


class Label(models.Model):
    """A name for one of a network's versions, which is moved from one to another: `stable`, `canary`."""

    network = models.ForeignKey(Network, on_delete=models.CASCADE, related_name="labels")
    label = models.CharField(max_length=NAME_CHARACTERS_MAX, validators=[RegexValidator(NAME, NAME_RULE)])
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="labels")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["network", "label"], name="one_version_a_label")]
        ordering = ["label"]

    def __str__(self) -> str:
        return f"{self.label} of {self.version}"
