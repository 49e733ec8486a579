"""Pages share the hostile texts and the browser of the report's tests, and the figures' reader."""

import sys
from pathlib import Path

for room in ("figures", "report"):
    sys.path.insert(0, str(Path(__file__).parents[1] / room))
