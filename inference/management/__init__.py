"""What the management commands share; Django finds a command by its file's name in `commands/`.

Imports `supervision`, `client` and all below them. Start at the command's own file.
"""
