"""Runs the benchmarks, prints a table and writes var/bench.json.

Exit status 0 whether targets hold or not: machines are noisy, and the table says NO where one is missed. 64 for an unknown name.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import benchmarks

Row = dict[str, Any]
OUTPUT = Path("var/bench.json")


def main(only: list[str]) -> int:
    warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)
    found = benches()
    unknown = [name for name in only if name not in found]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(found)}", file=sys.stderr)
        return 64
    rows: list[Row] = []
    print(f"{'name':<28} {'ours':>10} {'peer':>10} {'ratio':>7}  {'unit':<12} {'target':>8}  holds")
    for name, bench in found.items():
        if not only or name in only:
            for row in bench():
                rows.append(row)
                print(_line(row), flush=True)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(f"written to {OUTPUT}")
    return 0


def benches() -> dict[str, Callable[[], list[Row]]]:
    """Every benchmark by name, from the modules of this folder."""
    modules = (module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name.startswith("bench_"))
    return {name: bench for module in sorted(modules) for name, bench in importlib.import_module(f"benchmarks.{module}").BENCHES.items()}


def _line(row: Row) -> str:
    holds = {True: "yes", False: "NO", None: ""}[row["holds"]]
    cells = [_number(row[key]) for key in ("ours", "peer", "ratio", "target")]
    return f"{row['name']:<28} {cells[0]:>10} {cells[1]:>10} {cells[2]:>7}  {row['unit']:<12} {cells[3]:>8}  {holds}".rstrip()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


if __name__ == "__main__":
    sys.exit(main([name for name in sys.argv[1:] if name]))
