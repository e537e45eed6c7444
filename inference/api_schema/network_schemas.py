"""What answers say of networks: versions, activations, and what each worker reported."""

from __future__ import annotations

from inference.api_schema.fields import (
    NN_ID,
    OK,
    TRACE,
    Schema,
    listing,
    one_of,
    optional,
    record,
    text,
    truth,
    whole,
)

#: A network's name, or a label. Clients take `.` and `..` out of addresses: what begins so is left out here.
NAME_PATTERN = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$"
NAME = optional(
    text(
        "What it is also called: letters, digits, `.`, `_` and `-`; null: by its id alone", "iris", pattern=NAME_PATTERN
    )
)
VERSION = whole("A version's number: 1, 2, 3 …", 1, minimum=1, maximum=999_999_999)
ACTIVE_VERSION = optional(whole("The version that predictions are made with; null when there is none", 2, minimum=1))
UPLOADED_AT = "2026-11-23T00:29:57.226772+00:00"
DIGEST = "e5c1b6c9860b6a92cd8248d289da6e2a7945fb369acf7f29e6963dff4e8eaec4"

#: What a version's users should know.
REMARKS: Schema = {
    "type": "array",
    "description": "What workers have found out about its file and how it answers, a sentence each",
    "items": {"type": "string"},
    "examples": [[]],
}


LOADED = {
    "result": truth("Whether the worker has loaded the version"),
    "worker": text("The worker's name", "worker@embedded"),
    "trace": text("Only when it has not: its stack trace, base64 of UTF-8", TRACE),
    "remarks": {**REMARKS, "description": f"Only when there are some. {REMARKS['description']}"},
}
NETWORK_FIELDS = {
    "nn_id": NN_ID,
    "name": NAME,
    "active_version": ACTIVE_VERSION,
    "default": truth("Whether it answers predictions that name no network"),
    "versions_count": whole("How many versions it has", 2),
    "last_upload": optional(text("When the last one was uploaded; null: never", UPLOADED_AT, format="date-time")),
}
VERSION_FIELDS = {
    "number": VERSION,
    "state": one_of(
        "How it fared on the workers",
        "loaded",
        {
            "pending": "no worker has loaded it yet",
            "loaded": "loaded by every worker",
            "failed": "at least one could not",
            "deleted": "its weights are gone, the record stays",
        },
    ),
    "active": truth("Whether predictions are made with it"),
    "file_name": text("The uploaded file's name", "0d3c5dffa4374c77a554ed38c9c50296_1ee9dd03.b64"),
    "size": whole("Bytes of the weights file", 17216),
    "digest": text("The SHA-256 of these bytes", DIGEST),
    "architecture": text("The SHA-256 of its architecture's Keras JSON", DIGEST),
    "uploaded_at": text("When it was uploaded", UPLOADED_AT, format="date-time"),
    "remarks": REMARKS,
}
TERMS: Schema = {
    **record(
        "What came with the upload, and holds wherever it is loaded; null: nothing",
        {
            "order": {
                "type": "array",
                "description": "The layers of a PyTorch file as they are used",
                "items": {"type": "string"},
                "examples": [[]],
            },
            "examples": whole("How many rows with their results must hold", 2),
            "tolerance": {"type": "number", "description": "How far a number may be from it", "examples": [0.01]},
        },
        may_lack=("tolerance",),
    ),
    "type": ["object", "null"],
}
ACTIVATION = record(
    "One attempt to make a version active",
    {
        "kind": one_of(
            "What asked for it",
            "upload",
            {"upload": "new weights", "activate": "an earlier version was named", "rollback": "a step back"},
        ),
        "outcome": one_of(
            "How it ended",
            "activated",
            {
                "running": "not yet",
                "activated": "every worker had loaded it",
                "failed": "a worker could not, or was silent",
                "no_workers": "none was connected",
                "not_first": "another network was active, and nothing was to be replaced",
                "unavailable": "the broker or the database failed",
                "interrupted": "its gateway died",
            },
        ),
        "requested_by": text("A person's or token's name, or the client's address", "127.0.0.1"),
        "started_at": text("When", UPLOADED_AT, format="date-time"),
        "seconds": optional(
            {"type": "number", "description": "How long it took; null while it runs", "examples": [0.2]}
        ),
        "previous_version": {**ACTIVE_VERSION, "description": "What was active when it ended; null: none"},
        "workers_asked": whole("How many workers were connected", 1),
        "workers_answered": whole("How many of them answered in time", 1),
        "detail": text("Why it failed, beside the reports; else empty", ""),
        "reports": listing("What each worker reported", "Report"),
    },
)
NETWORK_SCHEMAS: dict[str, Schema] = {
    "Loaded": record("What a worker reported", LOADED, may_lack=("trace", "remarks")),
    "NetworkEntry": record("A network", NETWORK_FIELDS),
    "Networks": record(
        "A part of all networks",
        {**OK, "count": whole("How many there are in all", 2), "networks": listing("This part", "NetworkEntry")},
    ),
    "VersionEntry": record("A version", VERSION_FIELDS),
    "Network": record(
        "A network and a part of its versions",
        {
            **OK,
            **NETWORK_FIELDS,
            "labels": {
                "type": "object",
                "description": "The versions that its labels stand for",
                "additionalProperties": VERSION,
            },
            "count": whole("How many versions there are in all", 2),
            "versions": listing("This part, newest first", "VersionEntry"),
        },
    ),
    "Report": record(
        "What a worker reported, and when",
        {**LOADED, "seconds": {"type": "number", "description": "How long it took", "examples": [0.05]}},
        may_lack=("trace", "remarks"),
    ),
    "Activation": ACTIVATION,
    "Version": record(
        "A version and its activations",
        {
            **OK,
            "nn_id": NN_ID,
            **VERSION_FIELDS,
            "terms": TERMS,
            "activations": listing("The latest 100, newest first", "Activation"),
        },
    ),
    "Named": record("A network by its new name", {**OK, **NETWORK_FIELDS}),
    "Labelled": record(
        "A label and what it stands for",
        {
            **OK,
            "nn_id": NN_ID,
            "label": text("It", "stable"),
            "version": {**optional(VERSION), "description": "The version; null: it is gone"},
        },
    ),
    "Name": record("What a network is to be called", {"name": NAME}),
    "Deleted": record("What was deleted", {**OK, "nn_id": NN_ID, "version": VERSION}),
}
