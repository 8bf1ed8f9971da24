"""The actions of the bot: those of rasa_privacy alone. `rasa run actions` finds them here."""

import rasa_privacy.actions

__all__ = ["rasa_privacy"]
