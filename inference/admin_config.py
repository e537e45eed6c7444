"""The admin as a Django app; in a file of its own, because an app has one configuration."""

from django.contrib.admin.apps import AdminConfig


class PipelineAdminConfig(AdminConfig):
    """Django's admin, with the pages of ours that are no model's."""

    default_site = "inference.admin_site.PipelineAdminSite"
