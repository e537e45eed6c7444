"""MLServer with the sum network as a custom runtime: adaptive batching of up to 64 requests within 0.2 ms."""

import asyncio
import gc

from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.types import InferenceResponse, ResponseOutput
from network import PORT, load


class Sum(MLModel):
    """Rows in, sums out."""

    async def load(self):
        """Load the network; the collector then leaves TensorFlow's objects alone, which the long tail came from."""
        self.network = load()
        gc.collect()
        gc.freeze()
        return True

    async def predict(self, payload):
        """One call for the whole batch."""
        rows = payload.inputs[0]
        sums = self.network([rows.data[at : at + 2] for at in range(0, len(rows.data), 2)]).tolist()
        output = ResponseOutput(name="sum", shape=[len(sums), 1], datatype="FP32", data=sums)
        return InferenceResponse(model_name=self.name, outputs=[output])


if __name__ == "__main__":
    model = ModelSettings(name="sum", implementation=Sum, max_batch_size=64, max_batch_time=0.0002)
    settings = Settings(
        host="127.0.0.1",
        http_port=PORT,
        grpc_port=0,
        metrics_endpoint=None,
        parallel_workers=0,
        debug=False,
        use_structured_logging=False,
    )
    asyncio.run(MLServer(settings).start([model]))
