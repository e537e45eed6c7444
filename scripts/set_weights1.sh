#!/usr/bin/env bash
# Loads sample network 1 into every worker.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_request.sh"
set_sample 000127a35b5f462b8ec68fb4d905ac36
