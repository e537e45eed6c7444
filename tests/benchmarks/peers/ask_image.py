"""Asks by tritonclient for the mean colour of an image, over and over, and says how many milliseconds each took.

ask_image.py HOST:PORT TIMES, with the Python of var/clients. The first calls are not measured.
"""

import json
import sys
from time import perf_counter

import numpy as np
import tritonclient.http

NETWORK, INPUT, OUTPUT = "colours", "image", "mean"
WARM_UP = 5


def main(address, times):
    """Ask one after the other; each answer is looked at."""
    image = np.random.default_rng(1).random((1, 224, 224, 3), np.float32)
    mean = image.mean(axis=(1, 2))
    tensor = tritonclient.http.InferInput(INPUT, image.shape, "FP32").set_data_from_numpy(image)
    taken = []
    with tritonclient.http.InferenceServerClient(address) as client:
        for _ in range(WARM_UP + times):
            began = perf_counter()
            answer = client.infer(NETWORK, [tensor]).as_numpy(OUTPUT)
            taken.append((perf_counter() - began) * 1000)
            np.testing.assert_allclose(answer, mean, atol=1e-4)
    print(json.dumps(taken[WARM_UP:]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
