"""JSON Schema in few words: the fields that answers and requests have."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def text(description: str, example: str, **more: Any) -> Schema:
    """A string."""
    return {"type": "string", "description": description, "examples": [example], **more}


def truth(description: str, **more: Any) -> Schema:
    """A boolean."""
    return {"type": "boolean", "description": description, **more}


def whole(description: str, example: int | None, **more: Any) -> Schema:
    """A whole number, 0 or more unless `minimum` says otherwise."""
    return {"type": "integer", "minimum": 0, "description": description, "examples": [example], **more}


def milliseconds(description: str, example: float) -> Schema:
    """A time, in milliseconds."""
    return {"type": "number", "minimum": 0, "description": f"{description}, in milliseconds", "examples": [example]}


def optional(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def listing(description: str, of: str) -> Schema:
    """A list of one component."""
    return {"type": "array", "description": description, "items": ref(of)}


def one_of(description: str, example: str, meanings: dict[str, str]) -> Schema:
    """One of a few words, and what each means."""
    told = "; ".join(f"`{word}`: {meaning}" for word, meaning in meanings.items())
    return text(f"{description}. {told}.", example, enum=list(meanings))


def ref(name: str) -> Schema:
    """One of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(description: str, fields: dict[str, Schema], may_lack: tuple[str, ...] = ()) -> Schema:
    """An object; it has every field but those that it may lack, and later versions may add more."""
    required = [name for name in fields if name not in may_lack]
    return {"type": "object", "description": description, "properties": fields, "required": required}


#: What nearly every answer begins with.
STATUS = truth("Whether what was asked for was done", const=True)
OK = {"status": STATUS, "message": text("`OK`", "OK")}
NN_ID = text("A network's name: 32 lower-case hex digits", "000127a35b5f462b8ec68fb4d905ac36", pattern="^[0-9a-f]{32}$")
TRACE = "cGlwZWxpbmU="
