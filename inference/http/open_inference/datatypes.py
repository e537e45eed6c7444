"""The protocol's names for what numbers and texts are."""

from __future__ import annotations

from workers.messages.tensors import STRING

DTYPES = {
    "BOOL": "bool", "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64",
    "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64",
    "FP16": "float16", "FP32": "float32", "FP64": "float64", "BYTES": STRING,
}  # fmt: skip
DATATYPES = {dtype: name for name, dtype in DTYPES.items()}
