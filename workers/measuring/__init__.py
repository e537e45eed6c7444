"""What a worker counts and measures of itself, its process and its host.

Imports `messages`. Start at `measured.py`.
"""
