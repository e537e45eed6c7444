"""The Django project: settings, addresses, and how gunicorn serves it. Start at `settings.py`."""
