"""`python -m inference.supervision serve|cluster …`."""

import sys

from inference.supervision.command_line import main

sys.exit(main(sys.argv[1:]))
