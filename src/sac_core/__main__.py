"""``python -m sac_core`` is the command `sac`."""

import sys

from sac_core.cli import main

sys.exit(main())
