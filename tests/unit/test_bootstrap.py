"""The decisions of scripts/bootstrap.py; its ways to uv are tried on machines that lack what it works around."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """The script as a module, with folders of its own."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "scripts" / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, folder in (("ROOT", "."), ("CACHE", ".cache"), ("VENV", ".venv")):
        monkeypatch.setattr(module, name, tmp_path / folder)
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "stamp")
    (tmp_path / "room").mkdir()
    (tmp_path / "uv.lock").write_text("lock")
    (tmp_path / "pyproject.toml").write_text("[project]")
    (tmp_path / "room" / "pyproject.toml").write_text("[project]")
    return module


def fake_uv(folder, version):
    folder.mkdir(parents=True, exist_ok=True)
    uv = folder / "uv"
    uv.write_text(f"#!/bin/sh\necho 'uv {version} (test)'\n")
    uv.chmod(0o755)
    return uv


def test_it_is_made_anew_when_the_lock_or_a_rooms_project_changes(bootstrap, tmp_path):
    seen = {bootstrap.fingerprint()}
    for file in ("uv.lock", "pyproject.toml", "room/pyproject.toml"):
        (tmp_path / file).write_text("changed")
        seen.add(bootstrap.fingerprint())
    assert len(seen) == 4


def test_a_uv_on_the_path_is_used_when_new_enough(bootstrap, tmp_path, monkeypatch):
    uv = fake_uv(tmp_path / "bin", "0.13.9")
    monkeypatch.setenv("PATH", str(uv.parent), prepend=":")
    assert bootstrap.obtain_uv() == uv


def test_an_old_uv_on_the_path_gives_way_to_the_one_fetched_before(bootstrap, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(fake_uv(tmp_path / "bin", "0.4.30").parent), prepend=":")
    fetched = fake_uv(tmp_path / ".cache" / "uv" / "bin", "0.8.0")
    assert bootstrap.obtain_uv() == fetched


def test_when_every_way_fails_the_one_command_to_run_is_named(bootstrap, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for way in ("_own_pip", "_venv_pip", "_packaged_pip"):
        monkeypatch.setattr(bootstrap, way, lambda: None)
    with pytest.raises(bootstrap.BootstrapError, match=r"sudo apt-get install python3-pip ca-certificates"):
        bootstrap.obtain_uv()


def test_the_next_way_is_tried_when_one_brings_no_uv(bootstrap, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    script = f"mkdir -p {tmp_path}/.cache/uv/bin; cp {fake_uv(tmp_path / 'made', '0.9.1')} {tmp_path}/.cache/uv/bin/"
    monkeypatch.setattr(bootstrap, "_own_pip", lambda: ["false"])
    monkeypatch.setattr(bootstrap, "_venv_pip", lambda: None)
    monkeypatch.setattr(bootstrap, "_packaged_pip", lambda: ["sh", "-c", script])
    assert bootstrap.obtain_uv() == tmp_path / ".cache" / "uv" / "bin" / "uv"


def test_uv_never_downloads_a_python_and_hears_what_pip_was_told(bootstrap):
    given = {"VIRTUAL_ENV": "/elsewhere", "PIP_CERT": "/ca.crt", "PIP_DEFAULT_TIMEOUT": "99", "PIP_PROXY": "http://p"}
    environment = bootstrap.uv_environment(given)
    assert environment["UV_PYTHON_DOWNLOADS"] == "never"
    assert environment["UV_PYTHON"] == bootstrap.base_python()
    assert "VIRTUAL_ENV" not in environment
    assert (environment["SSL_CERT_FILE"], environment["UV_HTTP_TIMEOUT"]) == ("/ca.crt", "99")
    assert environment["ALL_PROXY"] == "http://p"
    assert bootstrap.uv_environment({**given, "SSL_CERT_FILE": "/own.crt"})["SSL_CERT_FILE"] == "/own.crt"


def test_it_names_no_package_registry():
    for script in filter(Path.is_file, (ROOT / "scripts").iterdir()):
        text = script.read_text(encoding="utf-8")
        assert "pypi" not in text.lower()
        assert "index-url" not in text.replace("global.index-url", "")


def test_it_explains_itself():
    command = [sys.executable, ROOT / "scripts" / "bootstrap.py", "--help"]
    help_text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "--dev" in help_text


def test_what_is_installed_is_compiled_even_where_python_is_told_not_to_and_whatever_does_not(
    bootstrap, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["room"]')
    installed = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    (installed / "tests").mkdir(parents=True)
    (tmp_path / ".venv" / "bin").mkdir()
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (installed / "template.py").write_text("{{ this is }} no Python")
    for file in (installed / "package.py", installed / "tests" / "long.py", tmp_path / "room" / "ours.py"):
        file.write_text("answer = 42")
    bootstrap._compile()
    compiled = {file.name.partition(".")[0] for file in tmp_path.rglob("*.pyc")}
    assert compiled == {"package", "ours"}
