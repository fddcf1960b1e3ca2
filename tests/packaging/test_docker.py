"""The compose file, read, not run: that its services, variables and commands are ones that exist."""

from __future__ import annotations

import configparser
import dataclasses
import importlib.util
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from seedqueue.backend import cli
from seedqueue.backend.broker import LANES
from seedqueue.backend.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
OURS = ("backend", "worker", "learner")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (DOCKER / "Dockerfile").read_text()


def known_variables() -> set[str]:
    return {str(field.metadata["variable"]) for field in dataclasses.fields(Settings)}


def check_command(command: list[str]) -> None:
    """The command and its options are in the CLI."""
    program, name, *rest = command
    assert program == "seedqueue"
    commands = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    options = {option for parameter in commands[name].params for option in parameter.opts}
    assert {part for part in rest if part.startswith("--")} <= options


def test_the_services_are_there_and_wait_for_each_others_health(services: dict[str, Any]) -> None:
    assert set(services) == {"postgres", "label-studio", "redis", "backend", "worker", "learner"}
    assert all("healthcheck" in service for service in services.values())
    for name, service in services.items():
        for needed in service.get("depends_on", {}):
            assert "healthcheck" in services[needed], f"{name} waits for the health of {needed}, which has no check"


def test_label_studio_may_reach_a_private_address(services: dict[str, Any]) -> None:
    environment = services["label-studio"]["environment"]
    assert environment["ML_BLOCK_LOCAL_IP"] == "false"
    assert environment["SSRF_PROTECTION_ENABLED"] == "false"


def test_label_studio_is_the_version_the_tests_run_on(services: dict[str, Any]) -> None:
    pinned = re.search(r"^label-studio==(.+)$", (ROOT / "constraints-label-studio.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert services["label-studio"]["image"].endswith(f":{pinned[1]}")
    assert f"LABEL_STUDIO_VERSION := {pinned[1]}\n" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_and_points_to_a_service(services: dict[str, Any], name: str) -> None:
    environment = services[name]["environment"]
    assert set(environment) <= known_variables()
    for variable in ("LABEL_STUDIO_URL", "SEEDQUEUE_BACKEND_URL", "REDIS_URL"):
        host = re.match(r"\w+://(?::\$\{.*\}@)?([\w-]+)", environment[variable])
        assert host is not None
        assert host[1] in services
    assert environment["LABEL_STUDIO_PUBLIC_URL"] == services["label-studio"]["environment"]["LABEL_STUDIO_HOST"]


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_in_the_cli(services: dict[str, Any], name: str) -> None:
    check_command(services[name]["command"])


def test_the_backend_listens_where_label_studio_calls(services: dict[str, Any]) -> None:
    command, environment = services["backend"]["command"], services["backend"]["environment"]
    assert command[command.index("--host") + 1] == "0.0.0.0"
    assert environment["SEEDQUEUE_BACKEND_URL"].endswith(":" + command[command.index("--port") + 1])
    assert command[command.index("--workers") + 1] == "0"


def test_volumes_lie_where_the_image_keeps_its_state(services: dict[str, Any], dockerfile: str) -> None:
    folders = dict(volume.split(":") for volume in services["worker"]["volumes"])
    assert services["backend"]["volumes"] == services["worker"]["volumes"]
    assert f"SEEDQUEUE_HOME={folders['home']}" in dockerfile
    assert f"SEEDQUEUE_WEIGHTS={folders['weights']}" in dockerfile


def test_the_image_has_every_folder_of_the_package_and_runs_as_nobody_special(dockerfile: str) -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    mapped = [line.split("=")[1].strip() for line in parser["options"]["package_dir"].strip().splitlines()]
    let_through = (DOCKER / "Dockerfile.dockerignore").read_text().split()
    for folder in {name.split("/")[0] for name in mapped}:
        assert f"COPY {folder} {folder}\n" in dockerfile
        assert f"!{folder}" in let_through
    assert re.findall(r"^USER (\w+)$", dockerfile, re.MULTILINE) == ["seedqueue"]


def test_every_port_is_this_machines_alone_and_nobody_signs_up_uninvited(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert services["label-studio"]["environment"]["LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK"] == "true"


@pytest.mark.parametrize("name", OURS)
def test_ours_wait_for_health_and_write_into_their_volumes_alone(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert {each["condition"] for each in service["depends_on"].values()} == {"service_healthy"}
    assert service["read_only"] is service["init"] is True
    assert service["volumes"] == services["backend"]["volumes"]


def test_images_are_pinned_and_what_they_keep_lies_in_volumes(services: dict[str, Any], dockerfile: str) -> None:
    images = [service["image"] for name, service in services.items() if name not in OURS]
    images += re.findall(r"^ARG BASE=(.+)$", dockerfile, re.MULTILINE)
    assert len(images) == 4
    for image in images:
        assert re.search(r":\d+\.\d+(\.\d+)?(-[\w-]+)?$", image), f"{image} is not pinned"
    for name in ("postgres", "label-studio", "redis"):
        assert services[name]["volumes"][0].split(":")[0] == name


def test_passwords_are_demanded_and_drawn_by_the_script(services: dict[str, Any]) -> None:
    """Nothing has a password that stands in this repository; who has no .env is told what to do."""
    text = (DOCKER / "compose.yaml").read_text()
    demanded = set(re.findall(r"\$\{(\w+):\?make docker/\.env first", text))
    assert demanded == set(re.findall(r"\$\{(\w+)", text)) - {"TORCH_INDEX"}
    made = subprocess.run(["sh", str(DOCKER / "make-env.sh"), "a@b.org"], capture_output=True, text=True, check=True)
    given = dict(line.split("=", 1) for line in made.stdout.splitlines() if not line.startswith("#"))
    assert set(given) == demanded | {"TORCH_INDEX"}
    assert given["LABEL_STUDIO_USERNAME"] == "a@b.org"
    drawn = [value for name, value in given.items() if name not in ("LABEL_STUDIO_USERNAME", "TORCH_INDEX")]
    assert len(set(drawn)) == len(drawn) == 5
    assert all(re.fullmatch(r"[0-9a-f]{40}", value) for value in drawn)  # as long as Label Studio's tokens
    command = services["redis"]["command"]
    assert "--requirepass" in command
    assert command[command.index("--appendonly") + 1] == "yes"


def test_health_checks_call_what_is_there(services: dict[str, Any], dockerfile: str) -> None:
    checks = [services[name]["healthcheck"]["test"][1:] for name in OURS]
    [of_image] = re.findall(r"^    CMD (\[.*\])$", dockerfile, re.MULTILINE)
    for check in [*checks, json.loads(of_image)]:
        assert check[:3] == ["python", "-m", "seedqueue.backend.alive"]
        assert importlib.util.find_spec(check[2]) is not None
    port = services["backend"]["command"][services["backend"]["command"].index("--port") + 1]
    assert checks[0][3:] == [port]


def test_the_lanes_of_the_workers_cover_all_that_a_team_needs(services: dict[str, Any]) -> None:
    lanes = [part for name in ("worker", "learner") for part in services[name]["command"] if part in LANES]
    assert sorted(lanes) == sorted(set(LANES) - {"experiment"})


def test_the_override_for_gpus_names_services_that_are_there(services: dict[str, Any]) -> None:
    override = yaml.safe_load((DOCKER / "compose.gpu.yaml").read_text())["services"]
    assert set(override) < set(services)
    for service in override.values():
        [device] = service["deploy"]["resources"]["reservations"]["devices"]
        assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


def test_the_extras_that_the_image_names_exist(dockerfile: str) -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    texts = dockerfile + (DOCKER / "README.md").read_text()
    named = {extra for found in re.findall(r"EXTRAS=([a-z,]+)", texts) for extra in found.split(",")}
    assert named
    assert named <= set(parser["options.extras_require"])
