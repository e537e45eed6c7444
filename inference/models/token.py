"""The table of access tokens."""

from __future__ import annotations

from django.db import models


class AccessToken(models.Model):
    """Somebody's right to ask the HTTP interface for something; it is never changed, but may be revoked for good."""

    name = models.CharField(max_length=100, help_text="Who has it: what the record of activations says.")
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the key, in hex.")
    rights = models.CharField(max_length=100, help_text="What it may do, separated by commas.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        default_permissions = ("view",)
        permissions = [("revoke_accesstoken", "Can revoke an access token")]
        ordering = ["-id"]
        constraints = [
            # Once it is revoked, its name may be given to the next one.
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(revoked_at__isnull=True), name="one_living_token_a_name"
            )
        ]

    def __str__(self) -> str:
        return self.name
