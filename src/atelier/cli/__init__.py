"""The ``atelier`` command: parse, call one service, print."""
