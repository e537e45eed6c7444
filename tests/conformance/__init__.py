"""The same calls to a real Triton and to Pipeline: what is answered otherwise is meant to be, or is a mistake.

scripts/conformance runs it. `calls.py` has the calls, `differences.py` what is meant and why.
"""
