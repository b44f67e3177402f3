"""JSON and DER routes: each parses, calls one service and shapes the reply."""
