"""Reads requests' bodies within bounds: numbers from JSON, files from forms and base64; throws away what is refused.

Imports `dispatch`, `errors` and what `workers` says of formats; nothing of the rest of `http`. Start at
`predict_body.py` or `upload_files.py`.
"""
