"""What Triton's example of that name does with its network `simple`: simple_http_infer_client.py HOST:PORT."""

import sys

import numpy as np
import tritonclient.http as httpclient
from tritonclient.utils import InferenceServerException


def infer(client, first, second, **options):
    """Sum and difference of two tensors, the first of which goes as JSON."""
    inputs = [httpclient.InferInput("INPUT0", [1, 16], "INT32"), httpclient.InferInput("INPUT1", [1, 16], "INT32")]
    inputs[0].set_data_from_numpy(first, binary_data=False)
    inputs[1].set_data_from_numpy(second, binary_data=True)
    outputs = [
        httpclient.InferRequestedOutput("OUTPUT0", binary_data=True),
        httpclient.InferRequestedOutput("OUTPUT1", binary_data=False),
    ]
    return client.infer("simple", inputs, outputs=outputs, query_params={"test_1": 1, "test_2": 2}, **options)


client = httpclient.InferenceServerClient(url=sys.argv[1])
first = np.expand_dims(np.arange(start=0, stop=16, dtype=np.int32), axis=0)
second = np.full(shape=(1, 16), fill_value=-1, dtype=np.int32)
for compression in (None, "gzip", "deflate"):
    result = infer(
        client, first, second,
        request_compression_algorithm=compression, response_compression_algorithm=compression,
    )  # fmt: skip
    sums, differences = result.as_numpy("OUTPUT0"), result.as_numpy("OUTPUT1")
    for index in range(16):
        print(f"{first[0][index]} + {second[0][index]} = {sums[0][index]}")
        print(f"{first[0][index]} - {second[0][index]} = {differences[0][index]}")
        if first[0][index] + second[0][index] != sums[0][index]:
            sys.exit("error: incorrect sum")
        if first[0][index] - second[0][index] != differences[0][index]:
            sys.exit("error: incorrect difference")

statistics = client.get_inference_statistics(model_name="simple")
if len(statistics["model_stats"]) != 1:
    sys.exit("FAILED: Inference Statistics")
try:
    client.get_inference_statistics(model_name="wrong_model_name")
    sys.exit("FAILED: expected an exception")
except InferenceServerException as error:
    print(error)
print("PASS: infer")
