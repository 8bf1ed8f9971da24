"""How much may be kept: detectors, transforms, masking, and what an event becomes. No keys, no database, no Rasa."""
