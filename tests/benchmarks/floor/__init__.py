"""The floor: the project's own server, doors and observed layer, and a constant in place of the prediction.

Everything comes from the project, so the floor follows it; only what happens once the rows are read is left out.
"""
