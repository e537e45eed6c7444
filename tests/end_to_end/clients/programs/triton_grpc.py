"""tritonclient over gRPC: its ordinary client, that with callbacks, or that for asyncio.

triton_grpc.py sync|callback|asyncio HOST:PORT
"""

import asyncio
import inspect
import queue
import sys

import asked
import tritonclient.grpc
import tritonclient.grpc.aio

KINDS = {"sync": tritonclient.grpc, "callback": tritonclient.grpc, "asyncio": tritonclient.grpc.aio}
SECONDS = 60
#: What is told of the server and of networks, which the client also has as JSON.
TOLD = (
    "get_server_metadata", "get_model_metadata", "get_model_config", "get_model_repository_index",
    "get_inference_statistics",
)  # fmt: skip


async def awaited(value):
    """The value, waited for where it must be."""
    return await value if inspect.isawaitable(value) else value


def called_back(client, *arguments, **options):
    """The result that a callback is given, or the error, raised."""
    results = queue.SimpleQueue()
    client.async_infer(*arguments, callback=lambda result, error: results.put((result, error)), **options)
    result, error = results.get(timeout=SECONDS)
    if error is not None:
        raise error
    return result


async def infer(kind, client, network, inputs, outputs=None, **options):
    """Ask for a prediction: the response as it is, and each output as the client makes an array of it."""
    given = []
    for name, each in inputs.items():
        rows = asked.array(each)
        given.append(tritonclient.grpc.InferInput(name, rows.shape, each["datatype"]).set_data_from_numpy(rows))
    wanted = None if outputs is None else [tritonclient.grpc.InferRequestedOutput(name) for name in outputs]
    options["outputs"] = wanted
    if kind == "callback":
        result = called_back(client, network, given, **options)
    else:
        result = await awaited(client.infer(network, given, **options))
    response = result.get_response(as_json=True)
    return {
        "response": response,
        "outputs": {each["name"]: result.as_numpy(each["name"]) for each in response["outputs"]},
    }


async def call(kind, client, method, arguments, named):
    """Do what is asked."""
    if method == "infer":
        return await infer(kind, client, *arguments, **named)
    if "files" in named:
        named["files"] = asked.files_of(named["files"])
    if method in TOLD:
        named["as_json"] = True
    return await awaited(getattr(client, method)(*arguments, **named))


async def main(kind, address):
    """Until nothing more is asked."""
    client = KINDS[kind].InferenceServerClient(address)
    for method, arguments, named in asked.requests():
        try:
            asked.tell(await call(kind, client, method, arguments, named))
        except tritonclient.grpc.InferenceServerException as error:
            asked.tell_error(error, error.status())
    await awaited(client.close())


asyncio.run(main(*sys.argv[1:]))
