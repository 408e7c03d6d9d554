"""Where a kubeconfig may send SAC: never to what only SAC's own machine can reach, by no spelling and no detour."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from sac_core.errors import ConfigurationError
from sac_executor_kubernetes.addresses import refused
from sac_executor_kubernetes.cluster import open_cluster
from sac_executor_kubernetes.kubeconfig import Access, read_kubeconfig
from sac_executor_kubernetes.troubles import ClusterAbsent
from scripted_api import Said, scripted_api

METADATA = [
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "0.0.0.0",
    "[::]",
    "224.0.0.1",
]
CLUSTERS = ["10.96.0.1", "127.0.0.1", "[::1]", "192.168.49.2", "203.0.113.5", "api.example.com", "kubernetes.default"]


def kubeconfig(server: str) -> str:
    return f"""
current-context: c
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
users: [{{name: u, user: {{token: t}}}}]
"""


@pytest.mark.parametrize("host", METADATA)
def test_metadata_is_no_cluster(host: str) -> None:
    assert refused(host)
    with pytest.raises(ConfigurationError, match="no cluster's address"):
        read_kubeconfig(kubeconfig(f"https://{host}:443"))


@pytest.mark.parametrize("host", CLUSTERS)
def test_clusters_may_be_anywhere_else(host: str) -> None:
    assert not refused(host)
    assert read_kubeconfig(kubeconfig(f"https://{host}:6443/k8s/c-1")).server == f"https://{host}:6443/k8s/c-1"


@pytest.mark.parametrize(
    "server",
    [
        "http://10.0.0.1",
        "https://",
        "https://user@10.0.0.1",
        "https://10.0.0.1:443@169.254.169.254/",
        "https://10.0.0.1\\\\@169.254.169.254/",
        "https://10.0.0.1#@169.254.169.254/",
        "https://10.0.0.1/?next=https://169.254.169.254",
        "https://[fe80::1%25eth0]/",
        "https://10.0.0.1:port",
        "https://10.0.0.1 ",
        "HTTPS://10.0.0.1",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_could_be_read_in_two_ways_is_refused(server: str) -> None:
    with pytest.raises(ConfigurationError, match="https:// address"):
        read_kubeconfig(kubeconfig(server))


@pytest.mark.parametrize("spelling", ["0xA9FEA9FE", "2852039166", "0251.0376.0251.0376", "169.254.43518"])
async def test_other_spellings_of_an_address_mean_the_same(spelling: str) -> None:
    assert read_kubeconfig(kubeconfig(f"https://{spelling}:443")).server
    access = Access(server=f"https://{spelling}:443", namespace="test")
    async with open_cluster(access, 5.0) as cluster:
        with pytest.raises(ClusterAbsent, match=r"no cluster.s address|not a canonical"):
            await cluster.raw("/version")


async def test_every_address_of_a_name_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(host: str, *args: object, **more: object) -> list[Any]:
        assert host == "api.example.com"
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("192.0.2.1", "169.254.169.254")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    async with open_cluster(Access(server="https://api.example.com", namespace="test"), 5.0) as cluster:
        with pytest.raises(ClusterAbsent, match=r"api\.example\.com is 169\.254\.169\.254"):
            await cluster.raw("/version")
        with pytest.raises(ClusterAbsent, match=r"api\.example\.com is 169\.254\.169\.254"):
            await cluster.websocket("/exec")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_cluster_that_sends_us_elsewhere_is_not_followed(status: int) -> None:
    async with (
        scripted_api(lambda path, query: Said(body={"secret": "of the other"})) as other,
        scripted_api(lambda path, query: Said(status, headers={"Location": other.access.server + path})) as api,
        open_cluster(api.access, 5.0) as cluster,
    ):
        with pytest.raises(ClusterAbsent, match="another address"):
            await cluster.raw("/version")
        with pytest.raises(ClusterAbsent, match="another address"):
            async with cluster.lines("/watch", silence=5.0):
                pass
        assert other.asked == []
