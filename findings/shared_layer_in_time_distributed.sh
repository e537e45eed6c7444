#!/usr/bin/env bash
# A functional model that uses an inner model (or one layer) directly, and also inside TimeDistributed, is saved by Keras
# and not always loaded. It is when the direct use stands first in the file. When TimeDistributed does, which the way to
# the output decides and not the order in which the layers were called, the file no longer says that the two are one
# layer; Keras makes two of it, and one of them finds no weights.
#
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0, numpy 2.4.6.
# Seen: with Add right after TimeDistributed the model is loaded; with an Activation between them `ValueError: A total of 1
# objects could not be loaded.`, of the inner Dense "expected 2 variables, but received 0", whether Dense is in an inner
# model or alone.
# Fails when that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install keras==3.15.1 tensorflow-cpu==2.21.0 numpy==2.4.6
export TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 KERAS_BACKEND=tensorflow KERAS_HOME="$folder"
cd "$folder"
cat >look.py <<'PYTHON'
import keras
from keras import layers


def look(name, inner, between):
    given = keras.Input((4, 3))
    first = inner(given[:, 0])
    each = between(layers.TimeDistributed(inner)(given))
    model = keras.Model(given, layers.Add()([each, layers.RepeatVector(4)(first)]))
    model.save("model.keras")
    try:
        keras.saving.load_model("model.keras")
        outcome = "loaded"
    except ValueError as error:
        said = str(error)
        outcome = said.partition(".")[0] + (", 2 expected" if "expected 2 variables, but received 0" in said else "")
    print(f"{name}: {outcome}")


def model():
    return keras.Sequential([keras.Input((3,)), layers.Dense(3)])


look("model", model(), lambda each: each)
look("model, Activation", model(), layers.Activation("tanh"))
look("layer", layers.Dense(3), lambda each: each)
look("layer, Activation", layers.Dense(3), layers.Activation("tanh"))
PYTHON
seen=$(venv/bin/python look.py 2>log) || { cat log >&2; exit 1; }
printf '%s\n' "$seen"
[[ $seen == 'model: loaded
model, Activation: A total of 1 objects could not be loaded, 2 expected
layer: loaded
layer, Activation: A total of 1 objects could not be loaded, 2 expected' ]]
