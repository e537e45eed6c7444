"""What can go wrong in the runtime. Nothing here knows of HTTP or of Celery."""


class PipelineRuntimeError(Exception):
    """Base of everything the runtime raises on purpose."""


class ArchitectureError(PipelineRuntimeError):
    """The architecture is no Keras model that can be built safely."""


class WeightsError(PipelineRuntimeError):
    """The weights file is damaged, is no weights file, or does not fit its architecture."""


class RowsError(PipelineRuntimeError):
    """The rows do not have the shape of the network's input."""


class SupplyError(PipelineRuntimeError):
    """No gateway sent a file that a worker asked for, or what came was not what its digest names."""
