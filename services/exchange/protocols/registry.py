"""The venues that can be served: a front is added here, and nowhere else in the server."""

from __future__ import annotations

from collections.abc import Mapping

from services.exchange.protocols import BuildFront
from services.exchange.protocols.backpack.front import build_front as build_backpack

FRONTS: Mapping[str, BuildFront] = {"backpack": build_backpack}
