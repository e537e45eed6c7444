"""Reads requests' bodies within bounds, as they arrive: numbers from JSON, files from forms and base64.

Imports `dispatch`, `errors` and what `workers` says of formats; of the rest of `http` only `exchange`. Start at
`request_body.py`.
"""
