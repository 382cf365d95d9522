"""Files of sources, addresses, patience: what a puller is told, and what it refuses to be told."""

import threading
import time

import pytest
from smartpark.errors import InvalidFileError, SmartparkError
from smartpark_ingest.province.client import SourceAwayError
from smartpark_ingest.province.patience import OutOfPatienceError, Patience, StoppedError
from smartpark_ingest.province.sources import load_sources, name_of_address


def written(tmp_path, text):
    (tmp_path / "a.key").write_text("spk_x\n")
    file = tmp_path / "sources.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_files_of_secrets_are_looked_for_beside_the_file(tmp_path):
    file = written(tmp_path, '[[source]]\nname = "a"\nurl = "https://a.cn"\nkey_file = "a.key"\n')

    (source,) = load_sources(file)

    assert source.key_file == tmp_path / "a.key"
    assert source.revisions == "latest"


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('[[source]]\nname = "a"\nurl = "https://a.cn"\nkeyfile = "a.key"', "source[a].keyfile", "unknown key"),
        ('[[source]]\nname = "A B"\nurl = "https://a.cn"', "source[A B].name", "pattern"),
        ('[[source]]\nname = "a"\nurl = "http://a.cn"', "source[a]", "not encrypted"),
        ('[[source]]\nname = "a"\nurl = "https://me:s3same@a.cn"', "source[a]", "carries no password"),
        ('[[source]]\nname = "a"\nurl = "https://a.cn/?x=1"', "source[a]", "query"),
        ('[[source]]\nname = "a"\nurl = "ftp://a.cn"', "source[a]", "not an address"),
        ('[[source]]\nname = "a"\nurl = "https://a.cn:x"', "source[a]", "not an address"),
        ('[[source]]\nname = "a"\nurl = "https://a.cn"\nclient_id = "x"', "source[a]", "belong together"),
        ('[[source]]\nname = "a"\nurl = "https://a.cn"\nkey_file = "b.key"', "source[a].key_file", "no such file"),
        ('[[source]]\nname = "a"\nurl = "https://a.cn"\nevery_s = 0', "source[a].every_s", "greater than"),
        ("source = []", "", "no [[source]]"),
    ],
)
def test_what_is_wrong_is_said_with_its_key(tmp_path, text, key, words):
    with pytest.raises(InvalidFileError) as caught:
        load_sources(written(tmp_path, text))

    (problem,) = caught.value.problems
    assert problem.key == key
    assert words in problem.message
    assert "s3same" not in str(problem)


def test_a_name_twice_is_refused(tmp_path):
    one = '[[source]]\nname = "a"\nurl = "https://a.cn"\n'

    with pytest.raises(InvalidFileError, match="same name twice: a"):
        load_sources(written(tmp_path, one + one))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://park.example.cn", "park.example.cn"),
        ("https://park.example.cn:8443/x", "park.example.cn-8443"),
        ("http://[::1]:80", "1-80"),
    ],
)
def test_a_source_is_called_by_its_host(url, name):
    if name == "1-80":
        with pytest.raises(SmartparkError, match="--source"):
            name_of_address(url)
    else:
        assert name_of_address(url) == name


class Work:
    """Fails so often, then works."""

    def __init__(self, failures, retry_after_s=None):
        self.calls, self._failures, self._retry_after_s = 0, failures, retry_after_s

    def __call__(self):
        self.calls += 1
        if self.calls <= self._failures:
            raise SourceAwayError("away", retry_after_s=self._retry_after_s)
        return self.calls


def test_what_fails_for_a_while_is_tried_again():
    patience = Patience(threading.Event(), first_wait_s=0.001)

    assert patience.insist(Work(3)) == 4
    assert patience.retries == 3


def test_a_wait_that_was_asked_for_is_respected():
    patience = Patience(threading.Event(), first_wait_s=0.0001)
    began_s = time.monotonic()

    patience.insist(Work(1, retry_after_s=0.3))

    assert time.monotonic() - began_s >= 0.3


def test_patience_ends_and_says_what_the_trouble_was():
    patience = Patience(threading.Event(), most_s=0.05, first_wait_s=0.01)

    with pytest.raises(OutOfPatienceError, match="away"):
        patience.insist(Work(10**9))


def test_asked_to_stop_it_does_not_go_on():
    stop = threading.Event()
    stop.set()
    work = Work(0)

    with pytest.raises(StoppedError):
        Patience(stop).insist(work)
    assert work.calls == 0
