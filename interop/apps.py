from django.apps import AppConfig
from django.utils.module_loading import import_string


class InteropConfig(AppConfig):
    name = "interop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the boards know how long ago each site's feeds were heard, and whose they are."""
        # By name: models cannot be loaded before this moment.
        import_string("flow.feeds.register")(import_string("interop.hearing.feed_states"))
        import_string("wards.placeless.register")(import_string("interop.hearing.sources"))
