"""
SimulatorError
├── Refused        a request that gets one of the vendor's refusals
├── WireError      bytes or fields that are not the protocol
├── OptionError    a flag, option or scenario step outside its bounds
└── CommandError   a control command that cannot be carried out
"""

from __future__ import annotations

__all__ = ["CommandError", "OptionError", "Refused", "SimulatorError", "WireError"]


class SimulatorError(Exception):
    pass


class WireError(SimulatorError):
    pass


class OptionError(SimulatorError):
    pass


class CommandError(SimulatorError):
    pass


class Refused(SimulatorError):
    """Its text is the kind of refusal."""
