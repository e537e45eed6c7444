#!/usr/bin/env python
"""Django's command line for Pipeline."""

import os
import sys


def main() -> None:
    """Run a management command; settings that cannot be read end it with one line."""
    from django.core.management import execute_from_command_line
    from environs import EnvError

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_site.settings")
    try:
        import gateway_site.settings  # noqa: F401 - read first, so that what is wrong with them is told plainly
    except (EnvError, OSError) as error:
        sys.exit(f"manage.py: {error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
