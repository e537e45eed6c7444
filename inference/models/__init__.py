"""Every table of the database. Imports only `workers`, for settings and how a version is named in messages.

Start at `networks.py`.
"""

from inference.models.activations import ACTIVATION_MARGIN_SECONDS, Activation, WorkerReport
from inference.models.networks import DefaultNetwork, FileChunk, Label, Network, StoredFile, Version
from inference.models.rollup import Rollup
from inference.models.timing import PredictionTiming
from inference.models.token import AccessToken

__all__ = [
    "ACTIVATION_MARGIN_SECONDS",
    "AccessToken",
    "Activation",
    "DefaultNetwork",
    "FileChunk",
    "Label",
    "Network",
    "PredictionTiming",
    "Rollup",
    "StoredFile",
    "Version",
    "WorkerReport",
]
