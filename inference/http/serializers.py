"""What clients send to /set_weights and under /networks, checked field by field."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework import serializers
from rest_framework.request import Request

from inference.errors import BadInputError
from inference.models.names import NAME_RULE, is_name
from workers.messages.protocol import is_nn_id

WEIGHTS_CONTENT_TYPE = "application/octet-stream"


class TextOrFileField(serializers.Field[Any, Any, Any, Any]):
    """A field of a form that is text, or a file with it."""

    def to_internal_value(self, data: Any) -> str | UploadedFile:
        """The text, or the file."""
        if not isinstance(data, str | UploadedFile):
            raise serializers.ValidationError("must be text or a file")
        return data


class NameField(serializers.Field[str, Any, str, Any]):
    """What a network may be called; no number, which a CharField would take for its digits."""

    def to_internal_value(self, data: Any) -> str:
        """Take it as it is."""
        if not is_name(data):
            raise serializers.ValidationError(f"must be {NAME_RULE}")
        return str(data)


class SetWeightsSerializer(serializers.Serializer[dict[str, Any]]):
    """A network's id, or name, its weights (a file, as it is or as base64 text), and what is said of them."""

    nn_id = serializers.CharField(trim_whitespace=False, required=False)
    name = NameField(required=False, default=None)
    data = serializers.FileField(allow_empty_file=True, max_length=255)  # type: ignore[assignment]  # the wire's name

    order = serializers.CharField(required=False, allow_blank=True, default="")
    expect = TextOrFileField(required=False, default=None)

    def validate_nn_id(self, value: str) -> str:
        """32 lower-case hex digits."""
        if not is_nn_id(value):
            raise serializers.ValidationError("must be 32 lower-case hex digits")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """It says which network, by one or the other."""
        if "nn_id" not in attrs and attrs["name"] is None:
            raise serializers.ValidationError({"nn_id": "This field is required, or a name."})
        return attrs

    def validate_data(self, value: UploadedFile) -> UploadedFile:
        """A file part that does not call itself text; what kind of bytes it is, its content decides."""
        if (value.content_type or "").strip().lower().startswith("text/"):
            raise serializers.ValidationError(f"must be of content type {WEIGHTS_CONTENT_TYPE}")
        return value


def asks_for_first_only(request: Request) -> bool:
    """Whether an upload says `If-None-Match: *`: it is to be active only where no network is (RFC 9110, 13.1.2).

    Raises:
        BadInputError: the condition is another one.
    """
    condition = request.META.get("HTTP_IF_NONE_MATCH")
    if condition not in (None, "*"):
        raise BadInputError("If-None-Match must be * here: only while no network is active")
    return condition == "*"


class WholeNumberField(serializers.IntegerField):
    """A JSON whole number: no text that looks like one, no boolean."""

    def to_internal_value(self, data: Any) -> int:
        """The number itself."""
        if type(data) is not int:
            raise serializers.ValidationError("must be a whole number")
        return data


class ActivateSerializer(serializers.Serializer[dict[str, Any]]):
    """Which version is to become active."""

    version = WholeNumberField(min_value=1, max_value=999_999_999)


class NameSerializer(serializers.Serializer[dict[str, Any]]):
    """What a network is to be called; null: by its id alone."""

    name = NameField(allow_null=True)


class PageSerializer(serializers.Serializer[dict[str, Any]]):
    """Which part of a list is asked for."""

    limit = serializers.IntegerField(min_value=1, max_value=1000, default=100)
    offset = serializers.IntegerField(min_value=0, max_value=999_999_999, default=0)
