"""`python -m sac_executor_kubernetes`, as `sac-kubernetes`."""

from __future__ import annotations

import sys

from sac_executor_kubernetes.command import main

if __name__ == "__main__":
    sys.exit(main())
