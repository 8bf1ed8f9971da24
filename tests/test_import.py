"""Importing the package is cheap: the CLI, the actions and a builder's own scripts do it."""

import subprocess
import sys

_CODE = """
import sys, rasa_privacy, rasa_privacy.cli
heavy = {"rasa", "tensorflow", "rasa_sdk", "sqlalchemy"} & set(sys.modules)
sys.exit(f"loaded {sorted(heavy)}" if heavy else 0)
"""


def test_importing_the_package_loads_neither_rasa_nor_tensorflow() -> None:
    """The public names are loaded when they are first used (PEP 562)."""
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
