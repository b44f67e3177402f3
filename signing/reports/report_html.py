"""The HTML report: one self-contained page with pictures, which opens without network and runs no script.

It streams: a row is written when it is there, and what the run comes to is written last and shown first. Everything that strangers wrote
(names of files and signers, messages) is escaped.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from signing.reports.summary import Row, Summary, findings

MAX_BARS = 30  # of one picture; the rest is summed up
MAX_COUNTED = 10_000  # different schools, signers or reasons counted one by one: memory does not grow with the run

MARKS = {"TOTAL-PASSED": "\u2714", "TOTAL-FAILED": "\u2718", "INDETERMINATE": "?", "NO-SIGNATURE": "\u2013"}
_ORDER = tuple(MARKS)
_REST = "all others"
_NONE = "no school named"

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Verification report</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { --passed: #0a5c24; --failed: #9b0b16; --doubt: #7a4b00; --line: #d5d9e0; --soft: #f4f6f9 }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1a1a1a; background: #fff;
  display: flex; flex-direction: column }
h1 { order: -2; margin: 0 0 .5rem } h2 { font-size: 1rem; margin: 1.2rem 0 .4rem }
.run { order: -1; border-bottom: 2px solid var(--line); padding-bottom: 1.2rem; margin-bottom: 1.2rem }
.sum { display: flex; flex-wrap: wrap; gap: 2rem; font-size: 1.05rem } .sum b { font-size: 1.9rem; display: block; line-height: 1.1 }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 0 2.5rem }
.bar { display: grid; grid-template-columns: minmax(0, 12rem) 1fr 4rem; gap: .6rem; align-items: center; margin: .2rem 0 }
.bar span:first-child { overflow-wrap: anywhere } .track { background: var(--soft); height: .9rem; display: flex }
.track i { display: block; height: 100% } .passed { background: var(--passed) } .failed { background: var(--failed) }
.doubt { background: repeating-linear-gradient(135deg, var(--doubt) 0 4px, #c98b1d 4px 8px) }
table { border-collapse: collapse; width: 100% } tbody { border-bottom: 1px solid var(--line) }
th, td { padding: .45rem .7rem .45rem 0; text-align: left; vertical-align: top } th { border-bottom: 2px solid var(--line) }
td { overflow-wrap: anywhere } td:first-child { width: 34% } small { color: #555; display: block } ul { margin: 0; padding-left: 1.1rem }
.why td { padding-top: 0; color: #333 } details { color: #555 } code { font-size: .85em }
.TOTAL-PASSED { color: var(--passed) } .TOTAL-FAILED { color: var(--failed) } .INDETERMINATE, .NO-SIGNATURE { color: var(--doubt) }
@media print { body { margin: 0; max-width: none } tbody { break-inside: avoid } }
</style></head><body><h1>Verification report</h1>
<table><thead><tr><th scope="col">Document</th><th scope="col">Verdict</th><th scope="col">Signed by</th>
<th scope="col">Signed at</th></tr></thead>
"""


def html_report(rows: Iterable[Row]) -> Iterator[str]:
    """The page in pieces."""
    yield _HEAD
    summary = Summary()
    schools, signers = _Tally(), _Tally()
    reasons: Counter[str] = Counter()
    for row in rows:
        summary.add(row)
        _count(row, schools, signers, reasons)
        yield _document(row)
    yield "</table>\n" + _run(summary, reasons, schools, signers) + "</body></html>\n"


class _Tally:
    """How many of each name passed, failed, or neither."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}

    def add(self, name: str, indication: str) -> None:
        if name not in self.counts and len(self.counts) >= MAX_COUNTED:
            name = _REST
        self.counts.setdefault(name, Counter())[_kind(indication)] += 1


def _kind(indication: str) -> str:
    return {"TOTAL-PASSED": "passed", "TOTAL-FAILED": "failed"}.get(indication, "doubt")


def _count(row: Row, schools: _Tally, signers: _Tally, reasons: Counter[str]) -> None:
    known = [signature["signer"] for signature in row["signatures"] if signature["signer"]]
    schools.add((known[-1]["organization"] if known else None) or _NONE, row["indication"])
    for name in {f"{signer['name']} ({signer['role']})" if signer["role"] else signer["name"] for signer in known}:
        signers.add(name, row["indication"])
    if row["indication"] != "TOTAL-PASSED":
        reason = row["sub_indication"] or row["indication"]
        reasons[reason if reason in reasons or len(reasons) < MAX_COUNTED else _REST] += 1


def _document(row: Row) -> str:
    told = [html.escape(text) for text in findings(row)]
    why = f'<tr class="why"><td colspan="4"><ul>{"".join(f"<li>{text}</li>" for text in told)}</ul></td></tr>' if told else ""
    return f"<tbody><tr><td>{_name(row)}</td><td>{_verdict(row)}</td><td>{_signers(row)}</td><td>{_times(row)}</td></tr>{why}</tbody>\n"


def _name(row: Row) -> str:
    record = row["record"]
    about = ""
    if record:
        status = f", {html.escape(record['status'])}" if record["status"] else ""
        about = f"<small>{html.escape(record['id'])}, version {record['version']}{status}</small>"
    digest = f"<details><summary>SHA-256</summary><code>{row['sha256']}</code><br>engine {row['engine']}, {row['ms']} ms</details>"
    return f"{html.escape(row['file'])}{about}{digest}"


def _verdict(row: Row) -> str:
    indication = row["indication"]
    sub = f"<small>{html.escape(row['sub_indication'])}</small>" if row["sub_indication"] else ""
    entitlement = f"<small>entitlement {html.escape(row['entitlement'])}</small>"
    return f'<strong class="{indication}"><span aria-hidden="true">{MARKS[indication]}</span> {indication}</strong>{sub}{entitlement}'


def _signers(row: Row) -> str:
    shown = []
    for signature in row["signatures"]:
        signer = signature["signer"] or {"name": "unknown", "role": None, "organization": None}
        beside = ", ".join(html.escape(part) for part in (signer["role"], signer["organization"]) if part)
        shown.append(f"{html.escape(signer['name'])}<small>{beside or html.escape(signature['field'])}</small>")
    return "".join(shown)


def _times(row: Row) -> str:
    proven = sorted({signature["best_signature_time"] for signature in row["signatures"] if signature["best_signature_time"]})
    levels = sorted({signature["level"] for signature in row["signatures"] if signature["level"]})
    return "".join(f"{time}<br>" for time in proven[-1:]) + "".join(f"<small>{html.escape(level)}</small>" for level in levels)


def _run(summary: Summary, reasons: Counter[str], schools: _Tally, signers: _Tally) -> str:
    counted = ", ".join(f"{count} {name}" for name, count in sorted(summary.indications.items())) or "none"
    outdated = f" {summary.outdated} superseded or withdrawn." if summary.outdated else ""
    numbers = "".join(
        f'<div class="{name}"><b>{summary.indications[name]}</b>{MARKS[name]} {name}</div>' for name in _ORDER if summary.indications[name]
    )
    pictures = "".join(
        f"<section><h2>{title}</h2>{body}</section>"
        for title, body in (
            ("By school", _bars(schools.counts)),
            ("Why not passed", _bars({name: Counter(doubt=count) for name, count in reasons.items()})),
            ("By signer", _bars(signers.counts)),
        )
        if body
    )
    plural = "" if summary.total == 1 else "s"
    return (
        f'<div class="run"><p>{summary.total} document{plural}: {counted}.{outdated}</p>'
        f'<div class="sum">{numbers}</div><div class="pictures">{pictures}</div></div>'
    )


def _bars(counts: Mapping[str, Counter[str]]) -> str:
    """A bar for each name, longest first; the shares of passed, failed and doubtful documents in it."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    shown = dict(ranked[:MAX_BARS])
    if rest := [count for _, count in ranked[MAX_BARS:]]:
        shown[f"{len(rest)} more"] = sum(rest, Counter[str]())
    longest = max((count.total() for count in shown.values()), default=1)
    return "".join(_bar(name, count, longest) for name, count in shown.items())


def _bar(name: str, count: Counter[str], longest: int) -> str:
    parts = [kind for kind in ("passed", "failed", "doubt") if count[kind]]
    pieces = "".join(f'<i class="{kind}" style="width:{100 * count[kind] / longest:.2f}%"></i>' for kind in parts)
    told = f"{count['passed']}/{count.total()}" if count["passed"] else str(count.total())
    label = html.escape(name).replace("_", "_<wbr>")
    return f'<div class="bar"><span>{label}</span><span class="track">{pieces}</span><span>{told}</span></div>'
