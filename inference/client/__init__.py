"""Pipeline's REST interface from the other side: how its own commands ask a gateway.

Imports nothing of the gateway. Start at `http_client.py`.
"""
