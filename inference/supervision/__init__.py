"""Starts and watches the processes of a Pipeline on one machine; knows nothing of what they compute or store."""
