"""Who may do what: tokens and their rights, how often somebody may ask, and what a deployment lacks.

Imports `models`, `databases`, `errors` and `service_thread`; what asks for it is in `inference/http`. Start at
`rights.py`.
"""
