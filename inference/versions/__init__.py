"""A network's versions: uploads, switches, the fleet that loads them, and what is read of them in the database.

Imports `dispatch`, whose connections it uses, and all below it. Start at `switch.py`.
"""
