"""Settings of execution: the `[execution]` table."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.clock import NS_PER_MS, NS_PER_S, seconds_to_ns

#: seconds before the first, second and third retry of a cancel
CANCEL_RETRY_NS = (500 * NS_PER_MS, 1_000 * NS_PER_MS, 1_500 * NS_PER_MS)
#: an order that can still not be cancelled is tried again this often, and its side stays blocked
CANCEL_AGAIN_NS = 5 * NS_PER_S

_Seconds = Annotated[float, Meta(ge=0.1, le=60)]


class ExecutionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about one account's execution.

    connections          order connections kept open to the venue
    order_timeout_s      an order request without reply for so long has an unknown outcome
    requests_per_min     the account's request budget; None = what the venue documents
    budget_share         part of that budget that is used at most
    settle_margin_s      added to the venue's signing window before absence proves anything
    position_read_s, open_orders_read_s, fills_read_s, equity_read_s, funding_read_s
                         how often the venue is asked although the private stream tells it
    stream_silence_s     a private stream that does not confirm what a reply told within this is not trusted
    max_top_age_s        a best price older than this prices no reduction
    maker_try_s          a hedge that waits for takers rests so long at one price
    maker_tries          and so often, before what is left of it is taken; 0 = it is taken at once
    flatten_when_halted  True = while halted the position is closed, reduce-only; False = it stays what it is
    stop_timeout_s       a stop that is not confirmed by the venue within this exits with an error
    """

    connections: Annotated[int, Meta(ge=1, le=64)] = 16
    order_timeout_s: Annotated[float, Meta(ge=0.2, le=10)] = 1.0
    requests_per_min: Annotated[int, Meta(ge=60, le=1_000_000)] | None = None
    budget_share: Annotated[float, Meta(gt=0, le=1)] = 0.9
    settle_margin_s: Annotated[float, Meta(ge=0, le=10)] = 0.5
    position_read_s: _Seconds = 1.0
    open_orders_read_s: _Seconds = 2.0
    fills_read_s: _Seconds = 2.0
    equity_read_s: _Seconds = 2.0
    funding_read_s: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    stream_silence_s: Annotated[float, Meta(ge=0.2, le=5)] = 0.6
    max_top_age_s: Annotated[float, Meta(ge=0.1, le=10)] = 2.0
    maker_try_s: Annotated[float, Meta(ge=0.1, le=60)] = 3.0
    maker_tries: Annotated[int, Meta(ge=0, le=1000)] = 30
    flatten_when_halted: bool = False
    stop_timeout_s: Annotated[float, Meta(ge=1, le=60)] = 5.0

    @property
    def stream_silence_ns(self) -> int:
        return seconds_to_ns(self.stream_silence_s)

    @property
    def maker_try_ns(self) -> int:
        return seconds_to_ns(self.maker_try_s)

    @property
    def max_top_age_ns(self) -> int:
        return seconds_to_ns(self.max_top_age_s)
