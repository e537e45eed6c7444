"""What Django's templates write numbers and times with. Imports nothing of ours. Start at `numbers.py`."""
