"""The ten promises over TCP and TLS, at an engine that lets in only who has a certificate."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from docker_contract import DockerContract
from docker_engine import PYTHON_IMAGE, image_of
from private_engine import PrivateEngine, make_certificates, private_engine
from sac_core.contracts.context import PluginContext
from sac_core.errors import ConfigurationError
from sac_core.models.body import Finding
from sac_core.testing.fixtures import temporary_context
from sac_executor_docker.opening import open_docker
from sac_executor_docker.settings import DockerSettings

pytest_plugins = ["sac_core.testing.pytest_plugin"]
pytestmark = pytest.mark.xdist_group("tls")


@pytest.fixture(scope="module")
def tls_engine() -> Iterator[PrivateEngine]:
    with private_engine(tls=True) as engine:
        image_of(PYTHON_IMAGE, python=True, host=engine.host)
        yield engine


def settings_of(engine: PrivateEngine, **more: object) -> DockerSettings:
    """An engine on this machine, reached as one elsewhere is."""
    address = {"host": f"tcp://127.0.0.1:{engine.port}", "tls": engine.certificates, "local": True}
    return DockerSettings.model_validate({**address, **more})


class TestDockerOverTls(DockerContract):
    tls: PrivateEngine

    @pytest.fixture(autouse=True)
    def _engine(self, tls_engine: PrivateEngine) -> None:
        self.tls = tls_engine
        self.settings = settings_of(tls_engine)

    @pytest.fixture
    def body_image(self, _engine: None) -> str:
        return PYTHON_IMAGE

    def docker(self, *arguments: str) -> str:
        return self.tls.docker(*arguments)


@pytest.fixture
def context() -> Iterator[PluginContext]:
    with temporary_context() as context:
        yield context


async def finding(settings: DockerSettings, context: PluginContext) -> Finding:
    """What an engine that cannot be used says."""
    async with open_docker(settings, context) as executor:
        probe = await executor.probe()
    assert not probe.reachable
    return probe.findings[0]


async def test_a_certificate_of_another_authority_is_told(
    tls_engine: PrivateEngine, context: PluginContext, tmp_path: Path
) -> None:
    make_certificates(tmp_path / "server", tmp_path / "client")
    told = await finding(settings_of(tls_engine, tls=tmp_path / "client"), context)
    assert "the certificates do not fit" in told.message
    assert told.advice == "check plugins.docker.tls"


async def test_a_client_without_a_certificate_is_told(tls_engine: PrivateEngine, context: PluginContext) -> None:
    told = await finding(settings_of(tls_engine, tls=None), context)
    assert "HTTPS server" in told.message
    assert told.advice == "set plugins.docker.tls"


async def test_a_folder_without_certificates_is_refused_when_it_is_opened(
    tls_engine: PrivateEngine, context: PluginContext, tmp_path: Path
) -> None:
    shutil.copy(tls_engine.certificates / "ca.pem", tmp_path)
    with pytest.raises(ConfigurationError, match=r"plugins\.docker\.tls.*cert\.pem"):
        async with open_docker(settings_of(tls_engine, tls=tmp_path), context):
            pass
