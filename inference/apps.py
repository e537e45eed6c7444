"""The gateway as a Django app."""

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    """Networks, their versions, and what was asked of them."""

    name = "inference"
    verbose_name = "Inference"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have Django know the checks of a deployment."""
        from inference.access import checks  # noqa: F401 - registers them
