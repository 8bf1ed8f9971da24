"""Rasa glue: importer, minimizer, policy, gate, tracker store, payload, logs. Only `rasa_api` imports Rasa."""
