"""LitServe with the sum network: batches of up to 64 requests."""

import gc

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
    api = Sum(max_batch_size=64, batch_timeout=0.001)
    server = litserve.LitServer(api, accelerator="cpu", fast_queue=False)
    server.run(host="127.0.0.1", port=PORT, num_api_servers=1, generate_client_file=False, log_level="warning")
