from django.apps import AppConfig
from django.utils.module_loading import import_string


class HuddlesConfig(AppConfig):
    name = "huddles"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the boards know the escalation level of each site."""
        # By name: models cannot be loaded before this moment.
        import_string("flow.levels.register")(import_string("huddles.escalation.telling.levels_at"))
