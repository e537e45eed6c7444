#!/usr/bin/env bash
# Uploads base64 of data that is no weights file: every worker refuses it, nothing changes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_request.sh"
set_weights 000127a35b5f462b8ec68fb4d905ac36 "$DATA/bad_tensors.b64"
