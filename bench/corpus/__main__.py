"""As ``bench.corpus_table``."""

import sys

from bench.corpus_table import main

sys.exit(main())
