#!/usr/bin/env bash
# `hard_sigmoid` is x / 5 + 0.5 between 0 and 1 in Keras 2, and x / 6 + 0.5 in Keras 3. Keras 3 loads models that Keras 2
# saved, takes the name for its own function, and answers with other numbers; it says nothing.
#
# Versions: keras 3.15.1, tf_keras 2.21.0 (Keras 2), tensorflow-cpu 2.21.0, numpy 2.4.6.
# Seen: at 1.0 Keras 2 answers 0.7000 and Keras 3 0.6667, at 2.5 1.0000 and 0.9167; a model that answered 0.7000 in Keras 2
# answers 0.6667 when Keras 3 has loaded it, from .h5 and from .keras.
# Fails when that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip() { "$folder/venv/bin/pip" --quiet --disable-pip-version-check "$@"; }
pip install keras==3.15.1 tensorflow-cpu==2.21.0 numpy==2.4.6
pip install --no-deps tf_keras==2.21.0 # it asks for tensorflow, which is here as tensorflow-cpu
export TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 KERAS_BACKEND=tensorflow KERAS_HOME="$folder"
cd "$folder"
cat >look.py <<'PYTHON'
import warnings

import keras
import numpy as np
import tensorflow as tf
import tf_keras

for x in (0.0, 1.0, 2.5):
    given = tf.constant([x])
    two, three = (float(each.activations.hard_sigmoid(given)[0]) for each in (tf_keras, keras))
    print(f"at {x}: {two:.4f} {three:.4f}")
one = np.ones((1, 1), "float32")
model = tf_keras.Sequential([tf_keras.Input((1,)), tf_keras.layers.Activation("hard_sigmoid")])
for kind in ("h5", "keras"):
    model.save(f"model.{kind}")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        loaded = keras.saving.load_model(f"model.{kind}", compile=False)
    answers = [each.predict(one, verbose=0).item() for each in (model, loaded)]
    print(f"{kind}: {answers[0]:.4f} {answers[1]:.4f}, {sum('sigmoid' in str(each.message) for each in said)} warnings of it")
PYTHON
seen=$(venv/bin/python look.py 2>log) || { cat log >&2; exit 1; }
printf '%s\n' "$seen"
[[ $seen == 'at 0.0: 0.5000 0.5000
at 1.0: 0.7000 0.6667
at 2.5: 1.0000 0.9167
h5: 0.7000 0.6667, 0 warnings of it
keras: 0.7000 0.6667, 0 warnings of it' ]]
