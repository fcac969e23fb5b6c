"""The life of an order: one table, (status, event) -> status.

The venue does not speak in order: replies, stream and reads overtake each other, so the
table has a row for whatever the venue may say at whatever moment. A row that is missing is
an event of our own that cannot be: a broken invariant, fatal: cancel, exit, be restarted.

Absence of evidence is a state of its own: UNKNOWN counts as live until the venue has
answered.
"""

from __future__ import annotations

from enum import IntEnum

from shared.errors import Fatal
from shared.messages import OrderStatus


class Event(IntEnum):
    """What may be learnt of an order."""

    ACCEPTED = 0  # the venue shows it live: reply, stream or read
    REJECTED = 1  # the venue refused the placement: nothing has changed there
    NO_ANSWER = 2  # the placement was not answered
    FILL_PART = 3
    FILL_ALL = 4
    CANCEL_SENT = 5
    CANCEL_REFUSED = 6  # the venue knows no such order: filled, cancelled or not yet there
    CANCEL_NO_ANSWER = 7
    CANCELLED = 8
    EXPIRED = 9
    ABSENT = 10  # proved never to have existed: two reads begun after its window do not show it
    REVIVED = 11  # two reads begun after its death show it open


#: what the venue says, or fails to say: may happen at any time, whatever we believe of the order
VENUE_EVENTS = frozenset(Event) - {Event.CANCEL_SENT, Event.ABSENT, Event.REVIVED}

_NEW = OrderStatus.PENDING_NEW
_LIVE = OrderStatus.LIVE
_PART = OrderStatus.PARTIALLY_FILLED
_CANCEL = OrderStatus.PENDING_CANCEL
_UNKNOWN = OrderStatus.UNKNOWN
_FILLED = OrderStatus.FILLED
_CANCELLED = OrderStatus.CANCELLED
_REJECTED = OrderStatus.REJECTED
_EXPIRED = OrderStatus.EXPIRED
_NEVER = OrderStatus.NEVER_EXISTED

#: these may still fill, and count as exposure in full
MAYBE_LIVE = frozenset((_NEW, _LIVE, _PART, _CANCEL, _UNKNOWN))
#: the venue has shown them and no cancel is under way
RESTING = frozenset((_LIVE, _PART))

TRANSITIONS: dict[tuple[OrderStatus, Event], OrderStatus] = {
    # --- sent, not answered
    (_NEW, Event.ACCEPTED): _LIVE,
    (_NEW, Event.REJECTED): _REJECTED,
    (_NEW, Event.NO_ANSWER): _UNKNOWN,
    (_NEW, Event.FILL_PART): _PART,  # the fill overtakes the acknowledgement
    (_NEW, Event.FILL_ALL): _FILLED,
    (_NEW, Event.CANCEL_SENT): _CANCEL,
    (_NEW, Event.CANCEL_REFUSED): _NEW,  # the cancel has overtaken it
    (_NEW, Event.CANCEL_NO_ANSWER): _NEW,
    (_NEW, Event.CANCELLED): _CANCELLED,  # the stream overtakes the reply
    (_NEW, Event.EXPIRED): _EXPIRED,  # an IOC that took nothing
    (_NEW, Event.ABSENT): _NEVER,  # its first byte never left
    # --- resting
    (_LIVE, Event.ACCEPTED): _LIVE,  # reply and stream both say it
    (_LIVE, Event.REJECTED): _UNKNOWN,  # the venue contradicts itself: ask
    (_LIVE, Event.NO_ANSWER): _LIVE,  # the stream has told it before the reply was lost
    (_LIVE, Event.FILL_PART): _PART,
    (_LIVE, Event.FILL_ALL): _FILLED,
    (_LIVE, Event.CANCEL_SENT): _CANCEL,
    (_LIVE, Event.CANCEL_REFUSED): _UNKNOWN,  # died and revived under its cancel: ask
    (_LIVE, Event.CANCEL_NO_ANSWER): _LIVE,
    (_LIVE, Event.CANCELLED): _CANCELLED,  # by the venue, or by a person
    (_LIVE, Event.EXPIRED): _EXPIRED,
    (_PART, Event.ACCEPTED): _PART,
    (_PART, Event.REJECTED): _UNKNOWN,
    (_PART, Event.NO_ANSWER): _PART,
    (_PART, Event.FILL_PART): _PART,
    (_PART, Event.FILL_ALL): _FILLED,
    (_PART, Event.CANCEL_SENT): _CANCEL,
    (_PART, Event.CANCEL_REFUSED): _UNKNOWN,  # died and revived under its cancel: ask
    (_PART, Event.CANCEL_NO_ANSWER): _PART,
    (_PART, Event.CANCELLED): _CANCELLED,
    (_PART, Event.EXPIRED): _EXPIRED,
    # --- cancel under way
    (_CANCEL, Event.ACCEPTED): _CANCEL,  # the acknowledgement comes after the cancel was sent
    (_CANCEL, Event.REJECTED): _REJECTED,
    (_CANCEL, Event.NO_ANSWER): _CANCEL,
    (_CANCEL, Event.FILL_PART): _CANCEL,
    (_CANCEL, Event.FILL_ALL): _FILLED,  # the cancel comes too late
    (_CANCEL, Event.CANCEL_SENT): _CANCEL,  # sent once more
    (_CANCEL, Event.CANCEL_REFUSED): _UNKNOWN,  # filled? overtaken by its cancel? ask
    (_CANCEL, Event.CANCEL_NO_ANSWER): _CANCEL,
    (_CANCEL, Event.CANCELLED): _CANCELLED,
    (_CANCEL, Event.EXPIRED): _EXPIRED,
    (_CANCEL, Event.ABSENT): _NEVER,
    # --- nobody knows: whatever the venue says
    (_UNKNOWN, Event.ACCEPTED): _LIVE,
    (_UNKNOWN, Event.REJECTED): _REJECTED,  # a late reply
    (_UNKNOWN, Event.NO_ANSWER): _UNKNOWN,
    (_UNKNOWN, Event.FILL_PART): _PART,
    (_UNKNOWN, Event.FILL_ALL): _FILLED,
    (_UNKNOWN, Event.CANCEL_SENT): _CANCEL,
    (_UNKNOWN, Event.CANCEL_REFUSED): _UNKNOWN,
    (_UNKNOWN, Event.CANCEL_NO_ANSWER): _UNKNOWN,
    (_UNKNOWN, Event.CANCELLED): _CANCELLED,
    (_UNKNOWN, Event.EXPIRED): _EXPIRED,
    (_UNKNOWN, Event.ABSENT): _NEVER,
    # --- dead; what comes late changes nothing, but a fill is a fill
    (_FILLED, Event.ACCEPTED): _FILLED,
    (_FILLED, Event.REJECTED): _FILLED,  # filled by stream, then a gateway's 429 as its reply
    (_FILLED, Event.NO_ANSWER): _FILLED,
    (_FILLED, Event.FILL_PART): _FILLED,  # fills come after all that were given up
    (_FILLED, Event.FILL_ALL): _FILLED,
    (_FILLED, Event.CANCEL_REFUSED): _FILLED,  # cancel rejected because filled
    (_FILLED, Event.CANCEL_NO_ANSWER): _FILLED,
    (_FILLED, Event.CANCELLED): _FILLED,
    (_FILLED, Event.EXPIRED): _FILLED,
    (_FILLED, Event.REVIVED): _LIVE,  # it rests: then it was not filled, whatever we counted
    (_CANCELLED, Event.ACCEPTED): _CANCELLED,  # out of order
    (_CANCELLED, Event.REJECTED): _CANCELLED,
    (_CANCELLED, Event.NO_ANSWER): _CANCELLED,
    (_CANCELLED, Event.FILL_PART): _CANCELLED,  # fill after cancel
    (_CANCELLED, Event.FILL_ALL): _FILLED,
    (_CANCELLED, Event.CANCEL_REFUSED): _CANCELLED,
    (_CANCELLED, Event.CANCEL_NO_ANSWER): _CANCELLED,
    (_CANCELLED, Event.CANCELLED): _CANCELLED,  # reply and stream both say it
    (_CANCELLED, Event.EXPIRED): _CANCELLED,
    (_CANCELLED, Event.REVIVED): _LIVE,  # a cancel that was confirmed and not done
    (_EXPIRED, Event.ACCEPTED): _EXPIRED,
    (_EXPIRED, Event.REJECTED): _EXPIRED,  # refused by reply, expired by stream
    (_EXPIRED, Event.NO_ANSWER): _EXPIRED,
    (_EXPIRED, Event.FILL_PART): _EXPIRED,
    (_EXPIRED, Event.FILL_ALL): _FILLED,
    (_EXPIRED, Event.CANCEL_REFUSED): _EXPIRED,
    (_EXPIRED, Event.CANCEL_NO_ANSWER): _EXPIRED,
    (_EXPIRED, Event.CANCELLED): _EXPIRED,
    (_EXPIRED, Event.EXPIRED): _EXPIRED,
    (_EXPIRED, Event.REVIVED): _LIVE,
    (_REJECTED, Event.ACCEPTED): _UNKNOWN,  # the venue contradicts itself: ask
    (_REJECTED, Event.REJECTED): _REJECTED,
    (_REJECTED, Event.NO_ANSWER): _REJECTED,
    (_REJECTED, Event.FILL_PART): _PART,
    (_REJECTED, Event.FILL_ALL): _FILLED,
    (_REJECTED, Event.CANCEL_REFUSED): _REJECTED,
    (_REJECTED, Event.CANCEL_NO_ANSWER): _REJECTED,
    (_REJECTED, Event.CANCELLED): _REJECTED,
    (_REJECTED, Event.EXPIRED): _REJECTED,
    (_REJECTED, Event.REVIVED): _LIVE,
    (_NEVER, Event.ACCEPTED): _LIVE,  # it did exist: count it again
    (_NEVER, Event.REJECTED): _REJECTED,
    (_NEVER, Event.NO_ANSWER): _NEVER,
    (_NEVER, Event.FILL_PART): _PART,
    (_NEVER, Event.FILL_ALL): _FILLED,
    (_NEVER, Event.CANCEL_REFUSED): _NEVER,
    (_NEVER, Event.CANCEL_NO_ANSWER): _NEVER,
    (_NEVER, Event.CANCELLED): _CANCELLED,
    (_NEVER, Event.EXPIRED): _EXPIRED,
    (_NEVER, Event.REVIVED): _LIVE,
}


def next_status(status: OrderStatus, event: Event) -> OrderStatus:
    """Return the status after an event. Raises: Fatal when the table has no such row."""
    following = TRANSITIONS.get((status, event))
    if following is None:
        raise Fatal(f"an order in status {status.name} cannot meet {event.name}")
    return following
