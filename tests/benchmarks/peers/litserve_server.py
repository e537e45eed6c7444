"""LitServe with the sum network: batches of up to 64 requests within 1 ms, and so many HTTP processes.

With the one HTTP process that it chooses by itself, that process's event loop is the limit. A timeout of 0 is no
better: its worker then looks for requests without a pause, and takes a core from the HTTP processes.
"""

import gc
import sys

import litserve
from network import PORT, load


class Sum(litserve.LitAPI):
    """Rows in, sums out."""

    def setup(self, device):
        """Load the network in the worker's process."""
        self.network = load()
        gc.freeze()

    def decode_request(self, request):
        """The row."""
        return request["vector"]

    def batch(self, inputs):
        """The rows as they are: the network takes lists."""
        return inputs

    def predict(self, x):
        """One call for the whole batch."""
        return self.network(x)

    def unbatch(self, output):
        """A number for each request."""
        return output.tolist()

    def encode_response(self, output):
        """The answer."""
        return {"result": output}


if __name__ == "__main__":
    server = litserve.LitServer(Sum(max_batch_size=64, batch_timeout=0.001), accelerator="cpu")
    http_processes = int(sys.argv[2])
    server.run("127.0.0.1", PORT, num_api_servers=http_processes, generate_client_file=False, log_level="warning")
