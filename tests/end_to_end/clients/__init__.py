"""Clients that people have, of other projects, asking Pipeline; they are installed into an environment of their own."""
