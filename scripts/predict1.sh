#!/usr/bin/env bash
# Asks the default network for 0.1 + 0.2.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_request.sh"
predict '[0.1, 0.2]'
