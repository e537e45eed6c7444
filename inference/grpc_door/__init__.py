"""The Open Inference Protocol over gRPC: the same answers as over HTTP, on the gateway's own event loop.

A gateway that has it off imports none of this.
"""
