"""The web face: an HTTP interface and a WebSocket over what the other layers know and do. No logic of its own.

It reads journals, ledgers and registries, and writes what a person decides: orders to the switchboard, signatures,
strategies, settings. It cannot give a venue an order: it imports nothing that can.
"""
