"""``INSTALLED_APPS = [..., "djust_inspector"]``: installs the agent once djust's consumer is imported."""

from django.apps import AppConfig


class DjustInspectorConfig(AppConfig):
    """Its only work is to install the agent, which does nothing where it was injected already."""

    name = "djust_inspector"
    verbose_name = "djust inspector"

    def ready(self) -> None:
        from .installer import when_ready

        when_ready()
