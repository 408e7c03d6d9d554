"""Iterators that are ended with whoever reads them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from typing import TypeVar

T = TypeVar("T")


async def closable(source: AsyncIterable[T]) -> AsyncGenerator[T]:
    """The same items; closed (`contextlib.aclosing`), it closes its source, where that can be closed."""
    iterator = aiter(source)
    try:
        async for item in iterator:
            yield item
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
