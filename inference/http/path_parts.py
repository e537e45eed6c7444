"""The parts of an address that name something: what has another form names nothing, and is answered 404."""

from __future__ import annotations

from django.urls.converters import IntConverter, StringConverter


class NnIdConverter(StringConverter):
    """A network's id: 32 lower-case hex digits."""

    regex = "[0-9a-f]{32}"


class VersionNumberConverter(IntConverter):
    """A version's number: 1, 2, 3 … up to what the database can hold."""

    regex = "[1-9][0-9]{0,8}"
