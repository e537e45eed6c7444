"""Registers a layer by a name of Keras's own."""

import keras


class Dense(keras.layers.Layer):
    """Not Keras's."""


keras.saving.get_custom_objects()["Dense"] = Dense
