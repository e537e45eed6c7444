"""The parts of an address that name something: what has another form names nothing, and is answered 404."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import IntConverter, StringConverter


class NnIdConverter(StringConverter):
    """A network's id: 32 lower-case hex digits."""

    regex = "[0-9a-f]{32}"


class NetworkConverter(StringConverter):
    """A network's id, 32 lower-case hex digits, or its name; a label, too."""

    regex = "[A-Za-z0-9._-]{1,128}"


class VersionNumberConverter(IntConverter):
    """A version's number: 1, 2, 3 … up to what the database can hold."""

    regex = "[1-9][0-9]{0,8}"


register_converter(NetworkConverter, "network")
register_converter(NnIdConverter, "nn_id")
register_converter(VersionNumberConverter, "version")
