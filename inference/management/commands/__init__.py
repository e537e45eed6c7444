"""The commands of `manage.py`, a file each. Start at the one that has the command's name."""
