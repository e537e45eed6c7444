"""Writes small models of many kinds with the Keras that is installed: `python make.py FOLDER MODULE SUFFIX [KIND ...]`.

MODULE is `keras` (3, or the one that TensorFlow before 2.16 brings) or `tf_keras`, SUFFIX is `h5` or `keras`. For
each KIND, or all, there are KIND.SUFFIX and KIND.json, with rows and the answers that this version gave. FOLDER.zip
has them.
"""

import importlib
import json
import sys
import zipfile
from pathlib import Path

import numpy as np

FOLDER = Path(sys.argv[1])
keras = importlib.import_module(sys.argv[2])
SUFFIX, KINDS = sys.argv[3], sys.argv[4:]
layers, Input, Model, Sequential = keras.layers, keras.Input, keras.Model, keras.Sequential
IS_2 = keras.__version__.startswith("2.")
LEAKY = {"alpha": 0.1} if IS_2 else {"negative_slope": 0.1}


def dense():
    model = Sequential([Input((3,)), layers.Dense(4, "relu"), layers.Dropout(0.5), layers.Dense(2, "softmax")])
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), verbose=0)
    return model


def deferred():
    model = Sequential([layers.Dense(4, "tanh", kernel_regularizer="l2"), layers.Dense(2)])
    model.build((None, 3))
    return model


def first_layer():
    return Sequential([layers.Dense(4, "gelu", input_shape=(3,)), layers.Dense(2, "swish", use_bias=False)])


def convolution():
    given = Input((6, 6, 2), name="image")
    x = layers.Conv2D(3, 3, padding="same", use_bias=False)(given)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(6.0)(x)
    x = layers.MaxPooling2D()(x)
    x = layers.DepthwiseConv2D(2, depth_multiplier=2)(x)
    return Model(given, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))


def image():
    given = Input((4, 4, 2))
    x = layers.SeparableConv2D(3, 2)(layers.ZeroPadding2D(1)(given))
    x = layers.LeakyReLU(**LEAKY)(x)
    x = layers.Conv2DTranspose(2, 2, strides=2)(x)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    x = layers.AveragePooling2D(2, padding="same")(layers.UpSampling2D(2, interpolation="bilinear")(x))
    return Model(given, layers.Dense(2, "elu")(layers.Flatten()(layers.Cropping2D(1)(x))))


def sequence():
    return Sequential(
        [
            Input((6, 2)),
            layers.Conv1D(3, 2, padding="causal", dilation_rate=2),
            layers.LayerNormalization(),
            layers.MaxPooling1D(2),
            layers.Masking(0.0),
            layers.SimpleRNN(3, return_sequences=True),
            layers.GlobalMaxPooling1D(),
            layers.Dense(1),
        ]
    )


def lstm():
    given = Input((5,), dtype="int32")
    x = layers.Embedding(7, 3, mask_zero=True)(given)
    return Model(given, layers.Dense(2)(layers.LSTM(3)(layers.LSTM(4, return_sequences=True)(x))))


def gru():
    given = Input((5, 2))
    return Model(given, layers.GRU(3, reset_after=False)(layers.GRU(3, return_sequences=True, implementation=1)(given)))


def bidirectional():
    given = Input((5, 2))
    x = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(given)
    x = layers.TimeDistributed(layers.Dense(3, "tanh"))(x)
    return Model(given, layers.Bidirectional(layers.GRU(3), merge_mode="sum")(x))


def cells():
    given = Input((4, 2))
    x = layers.RNN([layers.LSTMCell(3), layers.GRUCell(3), layers.SimpleRNNCell(2)], return_sequences=True)(given)
    return Model(given, layers.RNN(layers.LSTMCell(2))(x))


def hard_sigmoid():
    given = Input((4, 2))
    x = layers.LSTM(3, recurrent_activation="hard_sigmoid")(given)
    return Model(given, layers.Activation("hard_sigmoid")(layers.Dense(3)(x)))


def states():
    given, more = Input((4, 2), name="encoder"), Input((3, 2), name="decoder")
    _, hidden, carry = layers.LSTM(3, return_state=True)(given)
    x = layers.LSTM(3, return_sequences=True)(more, initial_state=[hidden, carry])
    x = layers.Bidirectional(layers.GRU(3))(x, initial_state=[hidden, carry])
    return Model([given, more], x)


def attention():
    given = Input((4, 6))
    x = layers.MultiHeadAttention(2, 3)(given, given)
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([given, x]))
    x = layers.Attention(use_scale=True)([x, given])
    return Model(given, layers.GlobalAveragePooling1D()(layers.AdditiveAttention()([x, given])))


def cross_attention():
    query, value = Input((4, 6), name="query"), Input((3, 5), name="value")
    x, scores = layers.MultiHeadAttention(2, 3)(query, value=value, return_attention_scores=True)
    return Model([query, value], [layers.Flatten()(x), layers.Flatten()(scores)])


def branches(size, name):
    """Two branches of one shape each: what is swapped here nobody notices but by the answers."""
    given = Input((size,))
    left, right = layers.Dense(3, "relu", name=name + "_z")(given), layers.Dense(3, "tanh", name=name + "_a")(given)
    right = layers.Dense(3, name=name + "_m")(right)
    return Model(given, layers.Concatenate()([right, left]), name=name)


def nested():
    given = Input((3,))
    inner = Input((6,))
    deep = Model(inner, layers.Dense(3)(branches(6, "deepest")(inner)), name="deep")
    chain = Sequential([layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)], name="chain")
    return Model(given, chain(deep(branches(3, "first")(given))))


def inputs_and_outputs():
    one, two = Input((3,), name="one"), Input((2,), name="two")
    x = layers.Concatenate()([layers.Dense(2)(one), two])
    return Model({"one": one, "two": two}, [layers.Dense(2, name="first")(x), layers.Dense(1, name="second")(x)])


def shared():
    one, two = Input((3,)), Input((3,))
    layer, model = layers.Dense(3, "relu"), branches(3, "both")
    x = layers.Subtract()([model(layer(one)), model(layer(two))])
    return Model([one, two], layers.Dot(1)([x, model(one)]))


def operators():
    given = Input((3, 4))
    x = layers.Dense(4)(given)
    x = (x + given) * 2.0 - x / 4.0
    x = 1.0 - (-x) * x
    return Model(given, layers.Dense(2)(x[:, 1:, ::2][:, -1]) + x[:, 0, :2])


def tensorflow_functions():
    import tensorflow as tf

    given = Input((3, 4))
    x = tf.nn.relu(tf.matmul(given, tf.transpose(given, [0, 2, 1])))
    x = tf.concat([x, tf.reshape(given, [-1, 3, 4])], axis=-1)
    x = tf.reduce_mean(tf.sqrt(tf.square(x) + 1.0), axis=1, keepdims=True)
    x = tf.squeeze(tf.expand_dims(tf.nn.softmax(x), 1), [1, 2])
    return Model(given, tf.cast(tf.maximum(layers.Dense(2)(x), -0.1), tf.float32))


def normalization():
    given = Input((3,))
    layer = layers.Normalization()
    layer.adapt(np.arange(12.0).reshape(4, 3))
    return Model(given, layers.Dense(2)(layers.Normalization(mean=[1.0, 2, 3], variance=[4.0, 5, 6])(layer(given))))


def preprocessing():
    given = Input((6, 6, 3))
    x = layers.RandomFlip()(layers.Rescaling(0.5, 0.1)(given))
    x = layers.RandomRotation(0.1)(layers.CenterCrop(4, 4)(layers.Resizing(5, 5)(x)))
    return Model(given, layers.Conv2D(2, 4)(layers.GaussianNoise(0.1)(layers.SpatialDropout2D(0.2)(x))))


def frozen():
    model = branches(3, "frozen")
    model.layers[1].trainable = False
    chain = Sequential([Input((6,)), layers.BatchNormalization(), layers.Dense(3), layers.BatchNormalization()])
    chain.layers[0].trainable = False
    given = Input((3,))
    whole = Model(given, chain(model(given)))
    model.layers[2].trainable = False
    return whole


def slashes():
    given = Input((3,), name="the/input")
    return Model(given, layers.Dense(2, name="block/dense")(layers.Dense(3, name="block/other/dense")(given)))


def policy():
    given = Input((3,))
    x = layers.Dense(4, dtype=keras.mixed_precision.Policy("float64") if IS_2 else "float64")(given)
    return Model(given, layers.Dense(2)(x))


def old_layers():
    return Sequential(
        [Input((3,)), layers.ThresholdedReLU(0.3), layers.Dense(4, "relu6"), layers.Softmax(), layers.Dense(2, "selu")]
    )


def volumes():
    given = Input((3, 4, 4, 1))
    x = layers.ConvLSTM2D(2, 2, return_sequences=True)(given)
    x = layers.Conv3D(2, 2)(x)
    return Model(given, layers.GroupNormalization(1)(layers.TimeDistributed(layers.Conv2D(1, 2))(x)))


def one_model_many_times():
    given = Input((2, 3))
    return Model(given, layers.TimeDistributed(branches(3, "each"))(given))


def code():
    return Sequential([Input((3,)), layers.Lambda(lambda x: x * 2), layers.Dense(1)])


def custom():
    class Mine(layers.Dense):
        pass

    return Sequential([Input((3,)), Mine(2)])


BOTH = [
    dense, deferred, convolution, image, sequence, lstm, gru, bidirectional, cells, hard_sigmoid, states, attention,
    cross_attention, nested, inputs_and_outputs, shared, operators, normalization, preprocessing, frozen, policy,
    volumes, one_model_many_times, code, custom,
]  # fmt: skip
ONLY_2 = [first_layer, tensorflow_functions, slashes, old_layers]


def rows(tensor, random):
    shape = (2, *tensor.shape[1:])
    if "int" in str(tensor.dtype):
        return np.array(random.integers(0, 7, shape))
    return (random.normal(size=shape) * 1.5).astype("float32")


def make(kind, number):
    keras.utils.set_random_seed(number)
    model, random = kind(), np.random.default_rng(number)
    trained = getattr(model, "optimizer", None) is not None
    if kind is not normalization and not trained:
        model.set_weights(
            [np.abs(random.normal(size=each.shape)).astype(each.dtype) + 0.1
             if "variance" in weight.name else random.normal(size=each.shape).astype(each.dtype) * 0.7
             if each.dtype.kind == "f" else each
             for weight, each in zip(model.weights, model.get_weights(), strict=True)]
        )  # fmt: skip
    given = [rows(each, random) for each in model.inputs]
    names = [each.name.split(":")[0] for each in model.inputs]
    answers = model.predict(dict(zip(names, given, strict=True)) if kind is inputs_and_outputs else given, verbose=0)
    answers = [each.tolist() for each in (answers if isinstance(answers, list) else [answers])]
    told = {name.replace("/", "_"): each.tolist() for name, each in zip(names, given, strict=True)}
    (FOLDER / f"{kind.__name__}.json").write_text(json.dumps({"rows": told, "answers": answers}))
    model.save(FOLDER / f"{kind.__name__}.{SUFFIX}")
    if IS_2 and kind is nested and SUFFIX == "h5":
        model.save_weights(FOLDER / f"{kind.__name__}_weights.h5")


def main():
    FOLDER.mkdir(exist_ok=True, parents=True)
    for number, kind in enumerate(BOTH + ONLY_2 * IS_2):
        if KINDS and kind.__name__ not in KINDS:
            continue
        try:
            make(kind, number)
        except Exception as error:  # noqa: BLE001 - another version has another reason
            print(kind.__name__, type(error).__name__, str(error)[:300])
    with zipfile.ZipFile(f"{FOLDER}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(FOLDER.iterdir()):
            archive.write(path, path.name)


main()
