"""Triton beside the other systems: it is left out where it cannot run, and answers what the network answers."""

from __future__ import annotations

import sys
from argparse import Namespace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.benchmarks import compare
from tests.benchmarks.peers import triton_here, triton_server, why_not


def be(monkeypatch: pytest.MonkeyPatch, **differences: Any) -> None:
    """A machine on which it runs, but for what is different."""
    it = {"system": "Linux", "machine": "x86_64", "libc": ("glibc", "2.35"), "python": (3, 11, 7)} | differences
    shown = {"system": it["system"], "machine": it["machine"], "libc_ver": it["libc"]}
    platform = SimpleNamespace(**{name: lambda value=value: value for name, value in shown.items()})
    monkeypatch.setattr(triton_here, "platform", platform)
    monkeypatch.setattr(triton_here, "sys", SimpleNamespace(version_info=it["python"]))
    monkeypatch.setattr(triton_here, "find_library", lambda name: it.get("library", f"lib{name}.so.1.0"))


def test_it_runs_where_its_wheel_does(monkeypatch: pytest.MonkeyPatch) -> None:
    be(monkeypatch)

    assert why_not("triton") == ""


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        ({"machine": "aarch64"}, "Linux on x86_64"),
        ({"libc": ("glibc", "2.31")}, "glibc 2.35, and this is glibc 2.31"),
        ({"libc": ("", "")}, "another library"),
        ({"python": (3, 13, 0)}, "Python 3.13"),
        ({"library": None}, "apt-get install libpython3.11"),
    ],
)
def test_it_is_left_out_elsewhere_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], difference: dict[str, Any], said: str
) -> None:
    be(monkeypatch, **difference)
    chosen = Namespace(only=["floor", "triton"])

    left_out = compare.leave_out(chosen)

    assert chosen.only == ["floor"]
    assert said in left_out["triton"]
    assert f"triton is left out: {left_out['triton']}" in capsys.readouterr().err


def test_nothing_is_measured_when_all_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    be(monkeypatch, system="Darwin")

    with pytest.raises(SystemExit, match="nothing else"):
        compare.leave_out(Namespace(only=["triton"]))


def test_its_model_answers_each_request_its_own_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    triton_server.write_model(tmp_path, tmp_path / "packages")
    backend = ModuleType("triton_python_backend_utils")
    backend.get_input_tensor_by_name = lambda request, name: request[name]  # type: ignore[attr-defined]
    backend.Tensor = lambda name, array: (name, array)  # type: ignore[attr-defined]
    backend.InferenceResponse = lambda tensors: dict(tensors)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, backend.__name__, backend)
    monkeypatch.setattr(sys, "path", [*sys.path])
    model: Any = _load(tmp_path / "sum" / "1" / "model.py").TritonPythonModel()
    model.initialize({})

    one, two = model.execute([_request([[0.3, 0.7]]), _request([[0.1, 0.2], [0.4, 0.4]])])

    assert one["sum"] == pytest.approx(np.array([[1.0]]), abs=0.02)
    assert two["sum"] == pytest.approx(np.array([[0.3], [0.8]]), abs=0.02)


def _load(file: Path) -> ModuleType:
    spec = spec_from_file_location("triton_sum_model", file)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _request(rows: list[list[float]]) -> dict[str, Any]:
    tensor = SimpleNamespace(as_numpy=lambda: np.asarray(rows, np.float32))
    return {"rows": tensor}
