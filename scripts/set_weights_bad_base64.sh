#!/usr/bin/env bash
# Uploads text that is no base64: refused with 400, nothing changes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_request.sh"
printf 'This is no base64!' | set_weights 000127a35b5f462b8ec68fb4d905ac36 -
