"""TensorFlow Serving's REST interface, and KServe's first, which has the same addresses."""
