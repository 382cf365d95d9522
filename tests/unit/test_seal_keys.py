"""Keys that seal: made once, read by their owner alone, and understood by openssl."""

import shutil
import stat
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from smartpark_api.aggregates.seal_keys import (
    SealKeyError,
    is_signed,
    key_id_of,
    load_key,
    make_key,
    pem_of,
    public_of_pem,
)


def test_a_key_is_kept_for_its_owner_alone_and_read_again(tmp_path):
    made = make_key(tmp_path / "seal.key")
    assert stat.S_IMODE((tmp_path / "seal.key").stat().st_mode) == 0o600
    assert load_key(tmp_path / "seal.key").public == made.public
    assert made.key_id == key_id_of(made.public)
    assert [file.name for file in tmp_path.iterdir()] == ["seal.key"]


def test_an_existing_file_is_never_replaced(tmp_path):
    path = tmp_path / "seal.key"
    first = make_key(path)
    with pytest.raises(SealKeyError, match=r"seal\.key: there is a file already"):
        make_key(path)
    assert load_key(path).public == first.public
    assert [file.name for file in tmp_path.iterdir()] == ["seal.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path, mode):
    make_key(tmp_path / "seal.key")
    (tmp_path / "seal.key").chmod(mode)
    with pytest.raises(SealKeyError, match="chmod 600"):
        load_key(tmp_path / "seal.key")


def test_what_is_no_key_is_named(tmp_path):
    file = tmp_path / "seal.key"
    with pytest.raises(SealKeyError, match="cannot be read"):
        load_key(file)
    with pytest.raises(SealKeyError, match="cannot be kept"):
        make_key(tmp_path / "nowhere" / "seal.key")
    file.write_text("secret")
    file.chmod(0o600)
    with pytest.raises(SealKeyError, match=r"seal\.key: not a private key"):
        load_key(file)
    other = generate_private_key(65537, 2048)
    file.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(SealKeyError, match="not an Ed25519 key"):
        load_key(file)
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(SealKeyError, match=r"k\.pem: the key is not an Ed25519 key"):
        public_of_pem(public, where="k.pem")
    with pytest.raises(SealKeyError, match=r"k\.pem: not a public key"):
        public_of_pem("x", where="k.pem")


def test_a_signature_holds_for_one_text_and_one_key(tmp_path):
    key, other = make_key(tmp_path / "a"), make_key(tmp_path / "b")
    signature = key.sign(b"text")
    assert is_signed(b"text", signature, key.public)
    assert not is_signed(b"texT", signature, key.public)
    assert not is_signed(b"text", signature, other.public)
    assert not is_signed(b"text", bytes(64), key.public)
    assert public_of_pem(pem_of(key.public), where="-") == key.public


def test_nothing_of_the_secret_is_shown(tmp_path):
    key = make_key(tmp_path / "seal.key")
    assert repr(key) == f"SealKey({key.key_id})"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_openssl_makes_keys_that_are_taken_and_checks_what_they_sign(tmp_path):
    file = tmp_path / "seal.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", file], check=True, capture_output=True)
    file.chmod(0o600)
    key = load_key(file)
    public = subprocess.run(
        ["openssl", "pkey", "-in", file, "-pubout"], check=True, capture_output=True, text=True
    ).stdout
    assert pem_of(key.public) == public
