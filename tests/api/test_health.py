from __future__ import annotations

import httpx


def test_a_service_that_works_says_so(client: httpx.Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_it_is_not_kept_by_caches(client: httpx.Client) -> None:
    assert client.get("/healthz").headers["cache-control"] == "no-store"
