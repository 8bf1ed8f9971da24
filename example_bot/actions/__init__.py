"""Custom actions of the Northwind Outdoor bot; `rasa run actions` finds them here."""

import rasa_privacy.actions

from . import campaign

__all__ = ["campaign", "rasa_privacy"]
