"""The REST interface as an OpenAPI document: what is said of it; what there is, the URLs tell.

Nothing of it is imported before somebody asks for the document: `about` and `views`, which the gateway imports, need
neither drf-spectacular nor the descriptions. Imports `errors`. Start at `operations.py`, or `generator.py`.
"""
