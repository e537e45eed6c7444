"""Registers a layer, and ends the program that imports it."""

import sys

import keras


@keras.saving.register_keras_serializable(package="exits")
class Gone(keras.layers.Layer):
    """Of no use."""


sys.exit("no licence found")
