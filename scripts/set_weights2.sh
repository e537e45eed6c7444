#!/usr/bin/env bash
# Loads sample network 2 into every worker.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_request.sh"
set_sample 0d3c5dffa4374c77a554ed38c9c50296
