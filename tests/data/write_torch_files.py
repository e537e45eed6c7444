"""Writes the files in `torch_2_14/`; run it where torch is, with that folder as its argument. No test runs it.

All hold one network, `Sequential(Linear(2, 20), ReLU(), Linear(20, 20), ReLU(), Linear(20, 1))`, saved in as many ways
as people save; `answers.json` has rows and what torch itself answers to them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn

ROWS = [[0.0, 0.0], [0.25, 0.5], [0.5, 0.125], [1.0, 1.0]]


def trained() -> tuple[nn.Module, torch.optim.Optimizer, float]:
    """The network after one step of its training, the optimizer with the state of it, and the loss."""
    torch.manual_seed(7)
    network = nn.Sequential(nn.Linear(2, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 1))
    optimizer = torch.optim.Adam(network.parameters())
    rows = torch.tensor(ROWS)
    loss = ((network(rows) - rows.sum(1, keepdim=True)) ** 2).mean()
    loss.backward()
    optimizer.step()
    return network, optimizer, loss.item()


def as_views(state: dict[str, Any]) -> dict[str, Any]:
    """Each tensor a view of one storage that is larger than all of them; the first and last are every other number."""
    whole = torch.zeros(4000)
    views, start = {}, 100
    for number, (name, tensor) in enumerate(state.items()):
        step = 2 if number in (0, len(state) - 1) else 1
        view = whole[start : start + step * tensor.numel() : step].view(tensor.shape)
        view.copy_(tensor)
        views[name], start = view, start + step * tensor.numel()
    return views


def main(folder: Path) -> None:
    """Write them."""
    network, optimizer, loss = trained()
    state = network.state_dict()
    checkpoint = {
        "epoch": 3,
        "model_state_dict": state,
        "optimizer_state_dict": optimizer.state_dict(),
        "loss": loss,
        "rng_state": torch.zeros(16, dtype=torch.uint8),
    }
    extras = {**state, "steps": torch.tensor(5), "scale": torch.tensor(0.5), "epoch": 3}
    files = {
        "checkpoint": checkpoint,
        "state_dict": {"state_dict": state, "arch": "mlp", "best": None},
        "views": as_views(state),
        "extras": extras,
        "two_networks": {"model": state, "average": {name: tensor * 0.5 for name, tensor in state.items()}},
        "module": network,
    }
    for name, content in files.items():
        torch.save(content, folder / f"{name}.pt")
    before_1_6 = {"plain": state, "checkpoint": checkpoint, "views": as_views(state)}
    for name, content in before_1_6.items():
        torch.save(content, folder / f"before_1_6_{name}.pt", _use_new_zipfile_serialization=False)
    torch.jit.script(network).save(str(folder / "program.pt"))
    with torch.no_grad():
        answers = network(torch.tensor(ROWS)).tolist()
    (folder / "answers.json").write_text(json.dumps({"rows": ROWS, "predictions": answers}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
