"""KServe's REST client, for its second protocol or its first: kserve_rest.py URL v1|v2."""

import asyncio
import sys

import asked
import httpx
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput


def request_for(network, inputs, outputs, request_id, binary):
    """A request as users of the second protocol make it."""
    given = []
    for name, each in inputs.items():
        rows = asked.array(each)
        tensor = InferInput(name, list(rows.shape), each["datatype"])
        tensor.set_data_from_numpy(rows, binary_data=binary)
        given.append(tensor)
    wanted = [RequestedOutput(name, {"binary_data": each}) for name, each in outputs.items()]
    return InferRequest(network, given, request_id=request_id, request_outputs=wanted)


async def call(client, url, method, arguments, named):
    """Do what is asked."""
    if method != "infer_tensors":
        return await getattr(client, method)(url, *arguments, **named)
    network, inputs, outputs, request_id, binary = arguments
    request = request_for(network, inputs, outputs, request_id, binary)
    answer = await client.infer(url, request, model_name=network)
    return {
        "id": answer.id,
        "network": answer.model_name,
        "outputs": {each.name: each.as_numpy() for each in answer.outputs},
    }


async def main(url, protocol):
    """Until nothing more is asked."""
    async with InferenceRESTClient(RESTConfig(protocol=protocol, timeout=30)) as client:
        for method, arguments, named in asked.requests():
            try:
                asked.tell(await call(client, url, method, arguments, named))
            except httpx.HTTPStatusError as error:
                asked.tell_error(error, error.response.status_code)


asyncio.run(main(*sys.argv[1:]))
