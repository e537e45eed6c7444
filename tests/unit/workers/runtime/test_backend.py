"""Two hosts answer alike, whatever their users have told Keras."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from workers.settings import ROOT

TOLD = {"floatx": "float64", "epsilon": 0.5, "backend": "jax", "image_data_format": "channels_first"}
ASK = """
from workers.runtime.backend import keras
print(keras.config.floatx(), keras.config.epsilon(), keras.config.backend(), keras.config.image_data_format())
"""


def asked_on_a_host_of(home: Path, **variables: str) -> str:
    environment = {**os.environ, "HOME": str(home), **variables}
    return subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
    ).stdout.strip()


def test_what_a_user_has_told_keras_is_not_read(tmp_path: Path) -> None:
    for folder in (tmp_path / ".keras", tmp_path / "elsewhere"):
        folder.mkdir()
        (folder / "keras.json").write_text(json.dumps(TOLD))

    asked = asked_on_a_host_of(tmp_path, KERAS_HOME=str(tmp_path / "elsewhere"))

    assert asked == "float32 1e-07 tensorflow channels_last"


def test_nothing_is_written_for_keras_to_a_users_home(tmp_path: Path) -> None:
    asked_on_a_host_of(tmp_path)

    assert not (tmp_path / ".keras").exists()
