"""What can go wrong in the runtime. Nothing here knows of HTTP or of Celery."""


class PipelineRuntimeError(Exception):
    """Base of everything the runtime raises on purpose."""


class ArchitectureError(PipelineRuntimeError):
    """The architecture is no Keras model that can be built safely."""


class WeightsError(PipelineRuntimeError):
    """The weights file is damaged, is no weights file, or does not fit its architecture."""


class RowsError(PipelineRuntimeError):
    """The rows are not those that the network takes."""


class NumbersError(RowsError):
    """A number among the rows is none that the network takes: other rows of the batch may be right."""


class AnswerTooLargeError(RowsError):
    """The outputs are more than a message holds: fewer rows at once have a smaller answer."""


class QuarantinedError(PipelineRuntimeError):
    """Workers died of a batch, one after the other: nobody takes it any more."""


class SupplyError(PipelineRuntimeError):
    """No gateway sent a file that a worker asked for, or what came was not what its digest names."""


class KeyMismatchError(SupplyError):
    """A gateway answered, but not with a signature that this process can verify; the message says what to do."""
