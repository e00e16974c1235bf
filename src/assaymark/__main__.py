"""``python -m assaymark``."""

import sys

from assaymark.ui.cli.main import main

sys.exit(main())
