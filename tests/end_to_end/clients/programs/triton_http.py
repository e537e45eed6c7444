"""tritonclient over HTTP, its ordinary client or that for asyncio: triton_http.py sync|asyncio HOST:PORT."""

import asyncio
import inspect
import sys

import asked
import tritonclient.http
import tritonclient.http.aio

KINDS = {"sync": tritonclient.http, "asyncio": tritonclient.http.aio}


async def awaited(value):
    """The value, waited for where it must be."""
    return await value if inspect.isawaitable(value) else value


async def infer(client, network, inputs, outputs=None, **options):
    """Ask for a prediction: the response as it is, and each output as the client makes an array of it."""
    given = []
    for name, each in inputs.items():
        rows = asked.array(each)
        tensor = tritonclient.http.InferInput(name, rows.shape, each["datatype"])
        given.append(tensor.set_data_from_numpy(rows, binary_data=each.get("binary", True)))
    wanted = None
    if outputs is not None:
        wanted = [tritonclient.http.InferRequestedOutput(name, **each) for name, each in outputs.items()]
    result = await awaited(client.infer(network, given, outputs=wanted, **options))
    response = result.get_response()
    return {
        "response": response,
        "outputs": {each["name"]: result.as_numpy(each["name"]) for each in response["outputs"]},
    }


async def call(client, method, arguments, named):
    """Do what is asked."""
    if method == "infer":
        return await infer(client, *arguments, **named)
    if "files" in named:
        named["files"] = asked.files_of(named["files"])
    return await awaited(getattr(client, method)(*arguments, **named))


async def main(kind, address):
    """Until nothing more is asked."""
    client = KINDS[kind].InferenceServerClient(address)
    for method, arguments, named in asked.requests():
        try:
            asked.tell(await call(client, method, arguments, named))
        except tritonclient.http.InferenceServerException as error:
            asked.tell_error(error, error.status())
    await awaited(client.close())


asyncio.run(main(*sys.argv[1:]))
