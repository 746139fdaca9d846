from __future__ import annotations

from simulators.process import ChildProcess

__all__ = ["SimulatorProcess"]


class SimulatorProcess(ChildProcess):
    def __init__(self, *flags: str) -> None:
        super().__init__("simulators.tws", *flags)
