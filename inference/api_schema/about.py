"""What drf-spectacular is told of the whole interface. Imports nothing of it: the gateway's settings read this."""

from __future__ import annotations

from typing import Any

from workers.version import VERSION

DESCRIPTION = """\
Pipeline serves Keras networks from a fleet of workers.

* A **network** is named by its `nn_id`. Each upload for it is a **version**: 1, 2, 3 …; predictions are made with its
  **active version**. The **default network** is the one that the last `PUT /set_weights` was for.
* All answers are JSON objects with `status` and `message`, but for files, `/metrics` and this document. Whatever goes
  wrong is a `Failure`; a prediction that a worker could not make is answered 200 with `status` false.
* Under `/v2` the gateway speaks the **Open Inference Protocol** with Triton's extensions, under `/v1` **TensorFlow
  Serving**'s REST and KServe's first protocol. What goes wrong there is an `Error`, and never 200.
* A weight change takes effect on every worker or on none. From its answer on, no older version answers.
* Every answer has an `X-Request-ID`: the client's own, if it sent a sane one, or a new one. The logs name it.
* A body has a `Content-Length`. JSON is read whatever `Content-Type` it comes with.
* Where the gateway listens beyond loopback, or is told so, each request needs `Authorization: Bearer <token>`.
  Then stack traces are told as a whole only to tokens with the right `traces`, else by their last line.
"""
#: The security scheme's name.
TOKEN = "token"  # noqa: S105 - a name, no secret

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Pipeline",
    "DESCRIPTION": DESCRIPTION,
    "VERSION": VERSION,
    "LICENSE": {"name": "MIT"},
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/", "description": "This gateway"}],
    "TAGS": [
        {"name": "predictions", "description": "Ask a network"},
        {"name": "weights", "description": "Upload weights, and choose among versions"},
        {"name": "networks", "description": "See which networks and versions there are"},
        {"name": "monitoring", "description": "See how the gateway and its workers fare"},
        {"name": "open inference protocol", "description": "As Triton, MLServer and KServe speak it"},
        {"name": "tensorflow serving", "description": "As it and KServe's first protocol speak"},
        {"name": "document", "description": "This document"},
    ],
    "DEFAULT_GENERATOR_CLASS": "inference.api_schema.generator.Generator",
    "POSTPROCESSING_HOOKS": [],
    "SCHEMA_PATH_PREFIX": "",
    "SERVE_AUTHENTICATION": [],
    # What they are is said by `operation`.
    "PATH_CONVERTER_OVERRIDES": {"network": str, "version": int},
    # A unit test makes the document and finds every warning; `check --deploy` need not make it again.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            TOKEN: {
                "type": "http",
                "scheme": "bearer",
                "description": "A token made by `manage.py create_token`, with rights: `predict`, `status`, `weights`. "
                "`Authorization: Token <token>` is taken as well. Not looked at where none is required: on loopback.",
            }
        }
    },
}
