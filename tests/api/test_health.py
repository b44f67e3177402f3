from __future__ import annotations

import httpx


def test_a_service_that_works_says_so(client: httpx.Client) -> None:
    for path in ("root/0", "issuing/0", "issuing/1"):
        client.get(f"/crl/{path}.crl").raise_for_status()  # made on the spot, where the first second has not passed yet
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_it_is_not_kept_by_caches(client: httpx.Client) -> None:
    assert client.get("/healthz").headers["cache-control"] == "no-store"
