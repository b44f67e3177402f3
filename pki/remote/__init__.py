"""What is asked of others over the network, by whoever has leave to.

`network` is the leave, `lack` what was found missing, `online` and `online_messages` fetch it; `tsa` asks a time-stamp authority
elsewhere and `token_check` looks at what it gave; `http_request` is one bounded request.
"""

__all__ = [
    "lack",
    "network",
    "online",
    "tsa",
]
