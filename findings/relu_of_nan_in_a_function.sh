#!/usr/bin/env bash
# TensorFlow's relu leaves NaN as it is, but not in a tf.function, after a matrix product and a bias: these three become
# one operation there, of oneDNN, which makes 0 of NaN. So an overflow that every eager call shows is an ordinary 0 in the
# function. Without oneDNN, without the bias, or with XLA, the function answers NaN too; relu6 does as relu.
#
# Versions: tensorflow-cpu 2.21.0, numpy 2.4.6, on x86-64 (oneDNN's instructions limited to SSE4.1 or AVX2: the same).
# Seen: of x = [[inf, 1]], w = [[0, 1], [1, 1]], b = [0, 0] eagerly `[[nan inf]]`, in a tf.function `[[0. inf]]`; with
# TF_ENABLE_ONEDNN_OPTS=0 both `[[nan inf]]`.
# Fails when that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install tensorflow-cpu==2.21.0 keras==3.15.1 numpy==2.4.6
export TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 KERAS_BACKEND=tensorflow KERAS_HOME="$folder"
cd "$folder"
cat >look.py <<'PYTHON'
import numpy as np
import tensorflow as tf


def dense(x, w, b):
    return tf.nn.relu(tf.matmul(x, w) + b)


def dense6(x, w, b):
    return tf.nn.relu6(tf.matmul(x, w) + b)


def without_bias(x, w, b):
    return tf.nn.relu(tf.matmul(x, w))


given = [tf.constant(each, tf.float32) for each in ([[np.inf, 1]], [[0, 1], [1, 1]], [0, 0])]
print("eager:", dense(*given).numpy())
print("function:", tf.function(dense)(*given).numpy())
print("function, relu6:", tf.function(dense6)(*given).numpy())
print("function, no bias:", tf.function(without_bias)(*given).numpy())
print("function, XLA:", tf.function(dense, jit_compile=True)(*given).numpy())
PYTHON
outcome() { TF_ENABLE_ONEDNN_OPTS=$1 venv/bin/python look.py 2>log || { cat log >&2; exit 1; }; }
with=$(outcome 1)
without=$(outcome 0)
printf 'with oneDNN\n%s\nwithout\n%s\n' "$with" "$without"
[[ $with == 'eager: [[nan inf]]
function: [[ 0. inf]]
function, relu6: [[0. 6.]]
function, no bias: [[nan inf]]
function, XLA: [[nan inf]]' && $without == 'eager: [[nan inf]]
function: [[nan inf]]
function, relu6: [[nan  6.]]
function, no bias: [[nan inf]]
function, XLA: [[nan inf]]' ]]
