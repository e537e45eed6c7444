#!/usr/bin/env bash
# What Keras makes of a dense input and a number by multiplication, it calls sparse, on whichever side the number stands.
# Sums with a number, differences, quotients, and products of two tensors stay dense, and a model with that output
# answers with a dense tensor.
#
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0, numpy 2.4.6.
# Seen: `(3.0 * x).sparse` and `(x * 3.0).sparse` are True, of `keras.Input((3,))`, whose own is False; it is False for
# `3.0 + x`, `3.0 - x`, `x / 3.0` and `x * x`.
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
import numpy as np
import tensorflow as tf

x = keras.Input((3,))
kinds = {"x": x, "3.0 * x": 3.0 * x, "x * 3.0": x * 3.0}
kinds |= {"3.0 + x": 3.0 + x, "3.0 - x": 3.0 - x, "x / 3.0": x / 3.0, "x * x": x * x}
for name, tensor in kinds.items():
    print(f"{name}: {tensor.sparse}")
answer = keras.Model(x, 3.0 * x)(np.ones((2, 3), "float32"))
print("answer:", isinstance(answer, tf.SparseTensor))
PYTHON
seen=$(venv/bin/python look.py 2>log) || { cat log >&2; exit 1; }
printf '%s\n' "$seen"
[[ $seen == 'x: False
3.0 * x: True
x * 3.0: True
3.0 + x: False
3.0 - x: False
x / 3.0: False
x * x: False
answer: False' ]]
