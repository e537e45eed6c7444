"""What Triton's examples over gRPC do with its network `simple`: simple_grpc_infer_client.py HOST:PORT.

Raw tensors, with and without compression; whole numbers as explicit contents; statistics; and a name that is wrong.
"""

import sys

import grpc
import numpy as np
import tritonclient.grpc as grpcclient
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

address = sys.argv[1]
first = np.expand_dims(np.arange(start=0, stop=16, dtype=np.int32), axis=0)
second = np.ones(shape=(1, 16), dtype=np.int32)


def check(sums, differences):
    """Whether they are those of the two tensors."""
    for index in range(16):
        if first[0][index] + second[0][index] != sums[index]:
            sys.exit("error: incorrect sum")
        if first[0][index] - second[0][index] != differences[index]:
            sys.exit("error: incorrect difference")


client = grpcclient.InferenceServerClient(url=address)
inputs = [grpcclient.InferInput("INPUT0", [1, 16], "INT32"), grpcclient.InferInput("INPUT1", [1, 16], "INT32")]
inputs[0].set_data_from_numpy(first)
inputs[1].set_data_from_numpy(second)
outputs = [grpcclient.InferRequestedOutput("OUTPUT0"), grpcclient.InferRequestedOutput("OUTPUT1")]
for compression in (None, "gzip", "deflate"):
    result = client.infer(
        "simple", inputs, outputs=outputs, client_timeout=60, headers={"test": "1"}, compression_algorithm=compression
    )
    check(result.as_numpy("OUTPUT0")[0], result.as_numpy("OUTPUT1")[0])

with grpc.insecure_channel(address) as channel:
    request = service_pb2.ModelInferRequest(model_name="simple", model_version="", id="my request id")
    for name, tensor in (("INPUT0", first), ("INPUT1", second)):
        given = request.inputs.add(name=name, datatype="INT32", shape=[1, 16])
        given.contents.int_contents.extend(tensor[0].tolist())
    for name in ("OUTPUT0", "OUTPUT1"):
        request.outputs.add(name=name)
    response = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request)
    check(*(list(output.contents.int_contents) for output in response.outputs))

if len(client.get_inference_statistics(model_name="simple").model_stats) != 1:
    sys.exit("FAILED: Inference Statistics")
try:
    client.get_inference_statistics(model_name="wrong_model_name")
    sys.exit("FAILED: expected an exception")
except InferenceServerException as error:
    print(error)
print("PASS: infer")
