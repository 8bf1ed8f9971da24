"""What the benchmarks share. Importing it keeps Rasa from reporting usage and TensorFlow from filling the screen."""

import os
import warnings

os.environ.update(RASA_TELEMETRY_ENABLED="false", TF_CPP_MIN_LOG_LEVEL="3", SQLALCHEMY_SILENCE_UBER_WARNING="1")
# Not a filter: Rasa sets its own when it is imported.
warnings.showwarning = lambda *_, **__: None
