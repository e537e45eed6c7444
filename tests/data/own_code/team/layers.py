"""Layers, models and a function that a team registers with Keras."""

from __future__ import annotations

from typing import Any

import keras

register = keras.saving.register_keras_serializable(package="team")


@register
def bent(numbers: Any) -> Any:
    """A function that is used as an activation."""
    return keras.ops.where(numbers > 0, numbers, 0.1 * numbers)


@register
def centred(numbers: Any) -> Any:
    """A function of a whole batch: less the mean of its rows."""
    return numbers - keras.ops.mean(numbers, axis=0, keepdims=True)


@register
class Scale(keras.layers.Layer):
    """Multiplies by weights of its own, as many times as `unroll` says, a word that Keras's layers use otherwise."""

    def __init__(self, unroll: int = 2, gain_initializer: Any = "ones", **others: Any) -> None:
        super().__init__(**others)
        self.unroll = unroll
        self.gain_initializer = keras.initializers.get(gain_initializer)
        # A tensor that is made once, of numbers that are computed once.
        self.gain = keras.ops.convert_to_tensor(keras.ops.convert_to_numpy(self.gain_initializer((), "float32")))

    def build(self, input_shape: Any) -> None:
        """One weight for each number of a row's last axis."""
        self.factors = self.add_weight(shape=(input_shape[-1],), initializer="random_normal", name="factors")

    def call(self, inputs: Any) -> Any:
        """Numbers of the inputs' shape."""
        for _ in range(self.unroll):
            inputs = inputs * self.factors
        return inputs * self.gain

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As `TimeDistributed` asks."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        initializer = keras.initializers.serialize(self.gain_initializer)
        return {**super().get_config(), "unroll": self.unroll, "gain_initializer": initializer}


@register
class Around(keras.layers.Layer):
    """Adds to its input what another layer makes of it."""

    def __init__(self, inner: Any, **others: Any) -> None:
        super().__init__(**others)
        self.inner = inner

    def build(self, input_shape: Any) -> None:
        """Builds the inner layer, which is built already when it comes from a config."""
        if not self.inner.built:
            self.inner.build(input_shape)

    def call(self, inputs: Any) -> Any:
        """Numbers of the inputs' shape."""
        return inputs + self.inner(inputs)

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {**super().get_config(), "inner": keras.saving.serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Around:
        """As Keras asks of a layer that holds another."""
        return cls(keras.saving.deserialize_keras_object(config.pop("inner")), **config)


@register
class Net(keras.Model):
    """A subclassed model, as papers have them; `makes` is what it answers with: a tensor, a list or a dict."""

    def __init__(self, units: int = 3, makes: str = "tensor", **others: Any) -> None:
        super().__init__(**others)
        self.units, self.makes = units, makes
        self.hidden = keras.layers.Dense(units, activation=bent)
        self.scale = Scale()
        self.normal = keras.layers.BatchNormalization()
        self.dropout = keras.layers.Dropout(0.5)
        self.out = keras.layers.Dense(2)
        self.loss_tracker = keras.metrics.Mean(name="loss")

    def call(self, inputs: Any) -> Any:
        """Two numbers a row; with them, but for a tensor, the hidden ones."""
        if isinstance(inputs, dict):
            inputs = keras.ops.concatenate([inputs["left"], inputs["right"]], axis=-1)
        elif isinstance(inputs, list | tuple):
            inputs = keras.ops.concatenate(inputs, axis=-1)
        hidden = self.dropout(self.normal(self.scale(self.hidden(inputs))))
        made = self.out(hidden)
        return {"tensor": made, "list": [made, hidden], "dict": {"sum": made, "hidden": hidden}}[self.makes]

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {**super().get_config(), "units": self.units, "makes": self.makes}


@register
class Compiled(Net):
    """Has an optimizer, whose variables no prediction uses, from the start."""

    def __init__(self, **others: Any) -> None:
        super().__init__(**others)
        self.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")


@register
class Pair(keras.Model):
    """A subclassed model that is called with two tensors."""

    def __init__(self, **others: Any) -> None:
        super().__init__(**others)
        self.one, self.other = keras.layers.Dense(2), keras.layers.Dense(2)

    def build(self, query_shape: Any, keys_shape: Any) -> None:
        """Has a shape for each, so that Keras saves both."""
        self.one.build(query_shape)
        self.other.build(keys_shape)

    def call(self, query: Any, keys: Any, training: bool = False) -> Any:
        """Two numbers a row."""
        return self.one(query) * self.other(keys)


@register
class HalfSaved(keras.Model):
    """A subclassed model that is called with two tensors, of which Keras saves only the first one's shape."""

    def __init__(self, **others: Any) -> None:
        super().__init__(**others)
        self.one = keras.layers.Dense(2)

    def call(self, query: Any, keys: Any) -> Any:
        """Two numbers a row."""
        return self.one(query) * keys


@register
class Chain(keras.Sequential):
    """Its layers are a plain chain, and what it computes is not."""

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Twice what the chain makes."""
        return 2 * super().call(inputs, training=training, mask=mask)


@register
class Drawn(keras.Model):
    """A subclassed model that is drawn as a functional one, and names nothing."""

    def __init__(self, units: int = 3, **others: Any) -> None:
        self.units = units
        left, right = keras.Input((2,)), keras.Input((2,))
        super().__init__([left, right], keras.layers.Dense(units)(keras.layers.Add()([left, right])), **others)

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {"units": self.units}


@register
class Large(keras.layers.Layer):
    """Has no weights, and makes many numbers on its way to few."""

    def __init__(self, width: int, **others: Any) -> None:
        super().__init__(**others)
        self.width = width

    def call(self, inputs: Any) -> Any:
        """Numbers of the inputs' shape."""
        return inputs + keras.ops.mean(keras.ops.repeat(inputs, self.width, axis=-1), axis=-1, keepdims=True)

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {**super().get_config(), "width": self.width}
