"""The REST interface as an OpenAPI document: what is said of it is here, what there is drf-spectacular finds in the URLs.

Nothing of it is imported before somebody asks for the document: `about` and `views`, which the gateway imports, need
neither drf-spectacular nor the descriptions.
"""
