"""Writes `words_<version>.keras` and what Keras answers with it, in the Keras that runs it; see README.md."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np

layers = keras.layers
text = keras.Input((1,), dtype="string", name="text")
color = keras.Input((1,), dtype="string", name="color")
size = keras.Input((1,), dtype="int64", name="size")
rare, often = layers.TextVectorization(output_mode="tf_idf"), layers.TextVectorization(output_mode="count")
rare.adapt(["the cat sat", "the dog 😀"])
often.adapt(["dog dog", "cat"])
colors, others = layers.StringLookup(output_mode="one_hot"), layers.StringLookup(num_oov_indices=2)
colors.adapt(["red", "green", "green"])
others.adapt(["blue", "red"])
sizes = layers.IntegerLookup(output_mode="one_hot")
sizes.adapt([7, 40, 40])
given = keras.Input((1,), dtype="string")
inner = keras.Model(given, others(given), name="inner")
outputs = {
    "rare": rare(text), "often": often(text), "color": colors(color), "other": inner(color), "size": sizes(size),
    "crossed": layers.HashedCrossing(9)((text, color)), "hashed": layers.Hashing(9)(color),
}  # fmt: skip
model = keras.Model([text, color, size], outputs)
rows = {"text": [["the cat"], ["dog 😀 dog"]], "color": [["red"], ["blue"]], "size": [[7], [8]]}
arrays = [np.array(rows["text"], object), np.array(rows["color"], object), np.array(rows["size"])]
answers = {
    name: np.asarray(output).tolist() for name, output in model([*map(keras.ops.convert_to_tensor, arrays)]).items()
}
path = Path(sys.argv[1]) / f"words_{keras.__version__.replace('.', '_')}.keras"
model.save(path)
with zipfile.ZipFile(path) as saved:
    members = {name: saved.read(name) for name in saved.namelist()}
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as small:
    for name, content in members.items():
        small.writestr(name, content)
path.with_suffix(".json").write_text(
    json.dumps({"rows": rows, "answers": answers}, indent=1, ensure_ascii=False) + "\n"
)
