"""A control socket over a surface without an engine, in a folder of its own, until this process is killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_surface import FakeSurface
from vcfx.control.local import ControlServer, place

place.folders = lambda: iter([Path(sys.argv[1])])
served = ControlServer(FakeSurface())
print(served.address.name, flush=True)
time.sleep(60)
