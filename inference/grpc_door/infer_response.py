"""Writes what a network has answered as a ModelInferResponse, in the form that it was asked in."""

from __future__ import annotations

from inference.dispatch.answer import Answer
from inference.grpc_door.infer_request import CONTENTS_OF, InferCall
from inference.grpc_door.open_inference_pb2 import ModelInferResponse
from inference.http.open_inference.infer_answer import datatype_of, refuse_unknown
from workers.messages.arrays import to_tensor


def write_infer_response(call: InferCall, answer: Answer) -> bytes:
    """The message. A network that makes FP16 answers in bytes, since typed contents have no such numbers.

    Raises:
        BadInputError: an output is wanted that the network does not have.
    """
    outputs = answer.outputs
    wanted = dict.fromkeys(call.outputs) or outputs
    refuse_unknown(wanted, outputs)
    written = ModelInferResponse(model_name=call.network, model_version=str(answer.version.number), id=call.id)
    datatypes = {name: datatype_of(outputs[name]) for name in wanted}
    typed = call.typed and all(datatype in CONTENTS_OF for datatype in datatypes.values())
    for name, datatype in datatypes.items():
        output = outputs[name]
        told = written.outputs.add(name=name, datatype=datatype, shape=output.shape)
        if not typed:
            written.raw_output_contents.append(to_tensor(output).data)
            continue
        values = output.ravel().tolist()
        if datatype == "BYTES":
            values = [text.encode() for text in values]
        getattr(told.contents, CONTENTS_OF[datatype]).extend(values)
    return written.SerializeToString()
