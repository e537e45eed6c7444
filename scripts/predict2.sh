#!/usr/bin/env bash
# Asks the default network for 0.446 + 0.554.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_request.sh"
predict '[0.446, 0.554]'
