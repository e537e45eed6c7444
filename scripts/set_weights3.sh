#!/usr/bin/env bash
# Loads sample network 3 into every worker.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_request.sh"
set_sample dfd2cd54a1ec4a408285f547f6827ea2
