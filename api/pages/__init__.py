"""HTML pages: rendered on the server, usable with keyboard and screen reader, without any script."""
