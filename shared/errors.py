"""Everything tickvisor raises on purpose.

TickvisorError
    SettingsError            unusable settings, all problems at once
    SourceMismatch           this Redis holds data of another source
    LeaseHeld                another live instance of this worker
    LeaseLost                another instance took over while we ran
    StoreError
        StoreUnavailable     Redis does not answer; a retry may help
        StoreRefused         Redis answered with an error; a retry will not help
    FeedError
        GatewayUnavailable   no usable connection to the gateway
            ClientIdsExhausted  every client id of our range is taken (TWS error 326)
        ContractUnsupported  the venue has no such contract or no depth for it
        ProtocolViolation    the peer sent what the protocol does not allow
        BadRow               a depth row with a field that is not what it must be
        VendorUnavailable    no usable answer over HTTP; a retry may help
        BadDocument          an answer that must not be published
        BudgetExhausted      no call of the shared budget comes free soon enough
"""

from __future__ import annotations

from collections.abc import Iterable


class TickvisorError(Exception):
    pass


class SettingsError(TickvisorError):
    def __init__(self, problems: Iterable[str]) -> None:
        self.problems: tuple[str, ...] = tuple(problems)
        super().__init__("\n".join(self.problems))


class SourceMismatch(TickvisorError):
    pass


class LeaseHeld(TickvisorError):
    pass


class LeaseLost(TickvisorError):
    pass


class StoreError(TickvisorError):
    pass


class StoreUnavailable(StoreError):
    pass


class StoreRefused(StoreError):
    pass


class FeedError(TickvisorError):
    pass


class GatewayUnavailable(FeedError):
    pass


class ClientIdsExhausted(GatewayUnavailable):
    pass


class ContractUnsupported(FeedError):
    pass


class ProtocolViolation(FeedError):
    pass


class BadRow(FeedError):
    pass


class VendorUnavailable(FeedError):
    pass


class BadDocument(FeedError):
    pass


class BudgetExhausted(FeedError):
    def __init__(self, wait_s: float, reason: str) -> None:
        super().__init__(f"no call for {wait_s:.1f} s: {reason}")
        self.wait_s = wait_s
        self.reason = reason
