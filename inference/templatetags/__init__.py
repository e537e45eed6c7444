"""What Django's templates write numbers and times with. Imports nothing of the gateway."""
