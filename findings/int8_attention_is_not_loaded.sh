#!/usr/bin/env bash
# Keras quantizes MultiHeadAttention to int8 and saves it, but cannot load the file that it wrote: the loaded layer makes
# its projections for floats, and expects a kernel and a bias where the file has three arrays, the kernel, the bias and
# the kernel's scale. The same model in floats, and Dense or EinsumDense quantized, are loaded.
#
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0, numpy 2.4.6.
# Seen: `ValueError: A total of 4 objects could not be loaded.`, of a projection "expected 2 variables, but received 0".
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

x = keras.Input((4, 8))
made = {
    "attention": lambda: layers.MultiHeadAttention(2, 4)(x, x),
    "Dense": lambda: layers.Dense(3)(x),
    "EinsumDense": lambda: layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")(x),
}
for name, quantized in [("attention", False), ("attention", True), ("Dense", True), ("EinsumDense", True)]:
    model = keras.Model(x, made[name]())
    if quantized:
        model.quantize("int8")
    model.save("model.keras")
    try:
        keras.saving.load_model("model.keras")
        outcome = "loaded"
    except ValueError as error:
        said = str(error)
        outcome = said.partition(".")[0] + (", 2 expected" if "expected 2 variables, but received 0" in said else "")
    print(f"{name}, {'int8' if quantized else 'floats'}: {outcome}")
PYTHON
seen=$(venv/bin/python look.py 2>log) || { cat log >&2; exit 1; }
printf '%s\n' "$seen"
[[ $seen == 'attention, floats: loaded
attention, int8: A total of 4 objects could not be loaded, 2 expected
Dense, int8: loaded
EinsumDense, int8: loaded' ]]
