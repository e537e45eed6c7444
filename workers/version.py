"""Which version of Pipeline this is; gateway and workers tell it, so that a fleet of several is seen."""

VERSION = "0.1.0"
