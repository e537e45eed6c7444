"""The floor: the project's own server, handler, parser and renderer, and a view that answers a constant.

Everything comes from the project, so the floor follows it; only what happens between parser and renderer is left out.
"""
