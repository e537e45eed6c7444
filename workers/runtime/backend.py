"""The only file that imports TensorFlow and Keras, and sets them up."""

from __future__ import annotations

import ctypes
import gc
import os
import platform

# All are read when TensorFlow and Keras are imported: no GPU is looked for, and only errors are logged.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
# Keras reads `keras.json` of this folder (floatx, epsilon, data format), and else writes one there. With a folder that
# can hold no file it does neither, so all hosts answer alike.
os.environ["KERAS_HOME"] = os.devnull

import keras
import tensorflow as tf
from keras.src.models.functional import Functional
from keras.src.saving.serialization_lib import ObjectSharingScope

__all__ = [
    "Functional",
    "ObjectSharingScope",
    "item_bytes",
    "keras",
    "program_versions",
    "settle_memory",
    "tf",
    "use_threads",
]

#: As large as a text is in TensorFlow's arrays, which keep its characters elsewhere unless there are few.
TEXT_BYTES = 24


def program_versions() -> dict[str, str]:
    """What a worker computes with."""
    return {"python": platform.python_version(), "keras": keras.__version__, "tensorflow": tf.__version__}


def use_threads(count: int, calls: int) -> None:
    """Let TensorFlow compute each operation with `count` threads; must be called before its first computation.

    With more threads than processors they spin against each other, and small networks gain nothing from several. But
    every call takes a thread of another pool until it is done: with fewer than `calls` that run at once, a small
    network's call would wait for a large one's.
    """
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(calls)


def settle_memory(reclaim: bool) -> None:
    """Move what lives as long as the process (TensorFlow's objects above all) out of the collector's sight.

    Walking them made the long tail of latencies (see docs/design/runtime.md). With `reclaim` they are walked once more,
    which takes some 0.15 s, for what a model leaves: its objects hold one another, and nothing else frees them.
    """
    if reclaim:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
    if reclaim and (give_back := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        # The C library (glibc) keeps for later what is freed, in a pool for each thread that loads.
        give_back(0)


def item_bytes(dtype: str) -> int:
    """Bytes of one number of a dtype by Keras's name, or of what TensorFlow has for a text beside its characters."""
    return int(tf.as_dtype(dtype).size) or TEXT_BYTES
