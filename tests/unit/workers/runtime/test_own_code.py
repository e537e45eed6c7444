"""Modules of the operator's own code: what they register is allowed, and one that fails harms nothing else."""

from __future__ import annotations

import logging

import pytest

from tests.support.own_code import imported
from workers.runtime.backend import keras
from workers.runtime.own_code import is_own_name, say_what_to_do

registry = keras.saving.get_custom_objects()


def test_what_a_module_registers_is_known_by_its_registered_name_alone() -> None:
    with imported("team.layers"):
        assert is_own_name("team>Scale")
        assert is_own_name("team>bent")
        assert not is_own_name("Scale")
        assert not is_own_name("other>Scale")
        assert not is_own_name(["team>Scale"])


def test_what_nobody_named_is_not_allowed_though_it_is_registered() -> None:
    with imported():
        keras.saving.register_keras_serializable(package="stranger")(type("Layer", (keras.layers.Layer,), {}))

        assert "stranger>Layer" in registry
        assert not is_own_name("stranger>Layer")


def test_a_module_that_is_missing_is_logged_and_named_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    with imported("team.lairs", "team.layers"):
        assert is_own_name("team>Scale")
        assert "team.lairs of PIPELINE_MODULES (ModuleNotFoundError: No module named 'team.lairs')" in say_what_to_do(
            "team>Lair"
        )
    assert [each.levelno for each in caplog.records if "team.lairs" in each.getMessage()] == [logging.ERROR]


def test_a_module_that_ends_the_program_leaves_nothing_and_the_others_are_imported() -> None:
    with imported("team.exits", "team.layers"):
        assert is_own_name("team>Scale")
        assert not is_own_name("exits>Gone")
        assert "exits>Gone" not in registry
        assert "team.exits of PIPELINE_MODULES (SystemExit: no licence found)" in say_what_to_do("exits>Gone")


def test_a_name_without_a_package_is_refused_since_keras_would_take_it_for_its_own() -> None:
    with imported("team.nameless"):
        assert "Dense" not in registry
        assert not is_own_name("Dense")
        assert "it registers 'Dense' without a package: use @keras" in say_what_to_do("Dense")


def test_a_name_that_is_taken_is_refused_and_stays_what_it_was() -> None:
    with imported("team.layers", "team.again"):
        assert is_own_name("team>Scale")
        assert registry["team>Scale"].__module__ == "team.layers"
        assert "team.again of PIPELINE_MODULES (ValueError: it registers 'team>Scale', which" in say_what_to_do("x>y")


def test_without_any_module_the_setting_is_named() -> None:
    with imported():
        assert say_what_to_do("team>Scale") == (
            "'team>Scale' is registered by no module of this worker: name the one that does in PIPELINE_MODULES"
        )
