"""The admin in a real browser, on a whole Pipeline."""
