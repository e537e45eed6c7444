"""The Django project: settings, addresses, and how gunicorn serves it. Imports `inference` and `workers`. Start at
`settings.py`.
"""
