"""The images' own Python packages are tested where they lie; containers are made only for marked tests."""

from __future__ import annotations

import sys
from pathlib import Path

IMAGES = Path(__file__).resolve().parents[2] / "images"
sys.path.insert(0, str(IMAGES / "jupyterlab-python"))
