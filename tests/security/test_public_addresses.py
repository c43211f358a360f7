"""Addresses count as public by IANA's registries, edge by edge, in every disguise."""

from ipaddress import ip_network

import pytest

from partner_portal.core.public_addresses import is_public

SPECIAL = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
    *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    *("::1/128", "::/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23"),
    *("2001::/32", "2001:1::1/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28"),
    *("2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7"),
    *("fe80::/10", "fec0::/10", "ff00::/8", "3ffe::/16"),
)
DISGUISED = {
    "mapped": "::ffff:10.0.0.1",
    "mapped, in hexadecimal": "::ffff:a00:1",
    "mapped relay": "::ffff:192.88.99.1",
    "compatible": "::10.0.0.1",
    "translated (SIIT)": "::ffff:0:10.0.0.1",
    "NAT64": "64:ff9b::a00:1",
    "NAT64 of a public one": "64:ff9b::808:808",
    "local NAT64": "64:ff9b:1::a00:1",
    "6to4": "2002:a00:1::1",
    "Teredo": "2001:0:808:808::f5ff:fffe",
    "ISATAP": "2606:4700::5efe:10.0.0.1",
    "ISATAP, universal": "2606:4700::200:5efe:10.0.0.1",
    "with a zone": "fe80::1%eth0",
}


@pytest.mark.parametrize("network", SPECIAL)
def test_no_special_purpose_network_is_public_at_either_end(network: str) -> None:
    ends = (ip_network(network)[0], ip_network(network)[-1])
    assert [is_public(str(end)) for end in ends] == [False, False]


@pytest.mark.parametrize("address", DISGUISED.values(), ids=list(DISGUISED))
def test_no_disguise_of_an_inner_address_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0"),
        *("192.88.98.255", "192.88.100.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8"),
        *("2606:4700:4700::1111", "2001:200::1", "2001:4860:4860::8888", "2620:4f:7fff::1", "2a00:1450::1"),
    ],
)
def test_their_neighbours_are_public(address: str) -> None:
    assert is_public(address)
