"""An operator's own code, as it is brought to workers; see tests/support/own_code.py."""
