"""mosec with the sum network: batches of up to 64 requests, gathered for one millisecond."""

import gc
import os
import sys

from mosec import Server, Worker


class Sum(Worker):
    """Rows in, sums out."""

    def __init__(self):
        from network import load  # in the worker's process only

        self.network = load()
        gc.freeze()

    def forward(self, data):
        """One call for the whole batch."""
        return [{"result": each} for each in self.network([row["vector"] for row in data]).tolist()]


if __name__ == "__main__":
    # Its command line is its own: the port that we are given goes by the environment.
    os.environ |= {"MOSEC_ADDRESS": "127.0.0.1", "MOSEC_PORT": sys.argv.pop(1), "MOSEC_LOG_LEVEL": "warning"}
    server = Server()
    server.append_worker(Sum, num=1, max_batch_size=64, max_wait_time=1)
    server.run()
