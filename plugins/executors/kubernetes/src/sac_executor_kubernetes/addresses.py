"""Which addresses are nobody's cluster: what a kubeconfig names is where SAC's own machine sends requests."""

from __future__ import annotations

import ipaddress

_SERVICES_OF_CLOUDS = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16")
)
"""Of AWS, Google, Alibaba and Azure; the others are link-local: 169.254.169.254."""


def refused(text: str) -> bool:
    """Whether an address is one of a cloud's metadata, link-local, multicast or none; the text of no address is not."""
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    return plain.is_link_local or plain.is_multicast or plain.is_unspecified or plain in _SERVICES_OF_CLOUDS
