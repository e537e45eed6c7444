"""What comes in and goes out by HTTP: doors and views, who may ask them, and one JSON shape for whatever goes wrong.

Imports `gateway` and all below it. Start at `doors.py`; how bodies are read is in `bodies/`.
"""
