"""The gateway: takes requests by HTTP, has workers answer them over the broker, and remembers what happened.

Imports `workers`, never `gateway_site`. Start at `gateway.py`: what a gateway process owns, and how it fits together.
"""
