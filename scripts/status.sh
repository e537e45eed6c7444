#!/usr/bin/env bash
# Shows the fleet: who serves what, and how fast.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_request.sh"
request GET /status
