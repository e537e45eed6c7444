"""The operator's own layers, models and functions: what the modules named by PIPELINE_MODULES register with Keras.

They are imported once, when a worker starts. Keras keeps one registry for the process, and so does this file.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from workers.runtime.backend import keras
from workers.runtime.reasons import say_reason

logger = logging.getLogger(__name__)

#: The registered names, such as `team>Scale`, and the modules that could not be imported, with the reason in a line.
_registered: set[str] = set()
_failed: dict[str, str] = {}


def import_modules(modules: Iterable[str]) -> None:
    """Import each module, and allow what it registers; one that cannot be imported is logged, remembered and left."""
    registry: dict[str, Any] = keras.saving.get_custom_objects()
    for module in modules:
        before = dict(registry)
        try:
            importlib.import_module(module)
            _refuse_taken_names(before, registry)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # What it had registered before it failed is as if it were not there.
            registry.clear()
            registry.update(before)
            _failed[module] = f"{type(error).__name__}: {say_reason(error)}"
            logger.exception(
                "Cannot import %s of PIPELINE_MODULES (%s): networks that need it are refused, all others are served.",
                module,
                _failed[module],
            )
        else:
            new = registry.keys() - before.keys()
            _registered.update(new)
            logger.info("Imported %s; what it registers with Keras (%d names) is served.", module, len(new))


def _refuse_taken_names(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for name, registered in now.items():
        if before.get(name) is registered:
            continue
        if ">" not in name:
            # Keras would take it for its own of that name, such as Dense or relu.
            raise ValueError(
                f"it registers {name!r} without a package: use @keras.saving.register_keras_serializable(package=...)"
            )
        if name in before:
            raise ValueError(f"it registers {name!r}, which another module has registered: give it another package")


def is_own_name(registered_name: object) -> bool:
    """Whether a module of the operator's has registered something by this name."""
    return isinstance(registered_name, str) and registered_name in _registered


def names_own_code(config: Any) -> bool:
    """Whether something in an architecture's config, as it is parsed, has a class of the operator's own."""
    if isinstance(config, list):
        return any(names_own_code(each) for each in config)
    if not isinstance(config, dict):
        return False
    return is_own_name(config.get("registered_name")) or any(names_own_code(each) for each in config.values())


def is_own(layer: Any) -> bool:
    """Whether the layer's class, or the model's, is the operator's own."""
    return is_own_name(keras.saving.get_registered_name(type(layer)))


def has_own_layers(model: keras.Model) -> bool:
    """Whether the model, or a layer in it, is of the operator's own code."""
    return any(is_own(layer) for layer in model._flatten_layers())


def say_what_to_do(registered_name: str) -> str:
    """Why an own name is not there on this worker, and what to do, for an error message."""
    if not _failed:
        return (
            f"{registered_name!r} is registered by no module of this worker: name the one that does in PIPELINE_MODULES"
        )
    reasons = "; ".join(f"{module} of PIPELINE_MODULES ({reason})" for module, reason in _failed.items())
    return f"{registered_name!r} is registered by no module of this worker, which could not import {reasons}"
