"""Parsing of a caller's IP address, in any form that proxies write, and what counts as one caller."""

import ipaddress
import re

_IPV4 = re.compile(r"([0-9.]+)(?::[0-9]*)?")
_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::[0-9]*)?")
IPV6_CALLER = 64  # bits: a caller with one IPv6 address has all 2^64 of its network


def caller_in(text: str) -> str | None:
    """Return the IPv4 address, or the network of the IPv6 address, that `text` names; None if it names none.

    A port (`198.51.100.9:4711`, `[2001:db8::1]:443`), quotes and a zone (`fe80::1%eth0`) may be present. An IPv4
    address inside an IPv6 one (mapped, 6to4, Teredo) is returned as that IPv4 address.
    """
    written = text.strip().strip('"')
    match = _BRACKETED.fullmatch(written) or _IPV4.fullmatch(written)
    try:
        address = ipaddress.ip_address((match[1] if match else written).partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    inside = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    return str(inside or ipaddress.IPv6Network((address, IPV6_CALLER), strict=False))
