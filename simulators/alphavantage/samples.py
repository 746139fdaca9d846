from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from simulators.errors import OptionError

from .body import Body
from .contract import COLUMNS, Row
from .indicators import INDICATORS

__all__ = ["Samples"]

_ARTIFICIAL: Final = "REALTIME_OPTIONS_artificial.json"


class Samples:
    """Recorded documents of a directory, byte for byte."""

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            raise OptionError(f"--samples must be a directory, was {str(directory)!r}")
        self._directory = directory.resolve()
        self._bodies: dict[Path, Body] = {}
        # An indicator's recording says itself which symbol it is of.
        self._indicators = {
            (function, str(self._json(path)["Meta Data"]["1: Symbol"]).upper()): path
            for function in INDICATORS
            for path in sorted(self._directory.glob(f"{function}_*.json"))
        }

    def find(self, function: str, symbol: str, date: str) -> Body | None:
        path = self._path(function, symbol, date)
        return self._body(path) if path else None

    def rows(self, body: Body) -> list[Row]:
        data = json.loads(body.plain())["data"]
        return [tuple(str(row[name]) for name in COLUMNS if name in row) for row in data]

    def file(self, name: str) -> Body:
        path = (self._directory / name).resolve()
        if not path.is_relative_to(self._directory) or not path.is_file():
            raise OptionError(f"file must be one of the samples directory, was {name!r}")
        return self._body(path)

    def _path(self, function: str, symbol: str, date: str) -> Path | None:
        if function in INDICATORS:
            return self._indicators.get((function, symbol))
        if function == "REALTIME_OPTIONS":
            path = self._directory / _ARTIFICIAL
            return path if path.exists() else None
        # The symbol comes from a request: it must not be a path or a pattern.
        if not symbol.replace("-", "").replace(".", "").isalnum():
            return None
        day = date.replace("-", "") or "*"
        name = f"{function}_{symbol}_{day}" if function == "HISTORICAL_OPTIONS" else None
        found = sorted(self._directory.glob(f"{name or f'{function}_{symbol}'}.json"))
        return found[-1] if found else None

    def _body(self, path: Path) -> Body:
        if path not in self._bodies:
            self._bodies[path] = Body.of(path.read_bytes())
        return self._bodies[path]

    def _json(self, path: Path) -> Any:
        return json.loads(path.read_bytes())
