from __future__ import annotations

import json
import sys
from datetime import datetime


def log(level: str, event: str, **fields: object) -> None:
    """One JSON line on stderr, with the fields that every worker's line has; stdout speaks to
    supervisord."""
    ts = datetime.now().astimezone().isoformat(timespec="milliseconds")
    line = {"ts": ts, "level": level, "worker": "guardian", "event": event, **fields}
    print(json.dumps(line, default=str), file=sys.stderr, flush=True)
