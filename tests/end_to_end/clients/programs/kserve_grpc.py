"""KServe's gRPC client: kserve_grpc.py HOST:PORT. It cannot be imported beside tritonclient's."""

import asyncio
import sys

import asked
import grpc
from kserve import InferenceGRPCClient, InferInput, InferRequest

SECONDS = 30


async def call(client, method, arguments, named):
    """Do what is asked."""
    if method != "infer":
        return await getattr(client, method)(*arguments, **named)
    network, inputs, request_id, raw = arguments
    given = []
    for name, each in inputs.items():
        rows = asked.array(each)
        tensor = InferInput(name, list(rows.shape), each["datatype"])
        tensor.set_data_from_numpy(rows, binary_data=raw)
        given.append(tensor)
    answer = await client.infer(InferRequest(network, given, request_id=request_id))
    return {
        "id": answer.id,
        "network": answer.model_name,
        "outputs": {each.name: each.as_numpy() for each in answer.outputs},
    }


async def main(address):
    """Until nothing more is asked."""
    client = InferenceGRPCClient(address, timeout=SECONDS)
    for method, arguments, named in asked.requests():
        try:
            asked.tell(await call(client, method, arguments, named))
        except grpc.RpcError as error:
            asked.tell_error(error, str(error.code()))
    await client.close()


asyncio.run(main(*sys.argv[1:]))
