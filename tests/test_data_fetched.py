"""MNIST from a made-up network: mirrors, the cache, and one sentence for whatever goes wrong."""

import gzip
import io

import pooch
import pytest
import requests

from bnsym.train import data
from bnsym.train.data import DataError, load, load_mnist
from tests.mnist_files import IMAGES, LABELS, MIRRORS, assert_made_up, flip_last_bit


class Network:
    """Stands in for pooch's HTTP downloader: answers for each mirror with the files' content, or with an error."""

    def __init__(self, contents):
        self.answers = dict.fromkeys(MIRRORS, lambda name: gzip.compress(contents[name]))
        self.asked = []

    def __call__(self):
        return self.download

    def download(self, url, output_file, registry):
        mirror = next(mirror for mirror in MIRRORS if url.startswith(mirror))
        self.asked.append(url)
        output_file.write(self.answers[mirror](url.removeprefix(mirror).removesuffix(".gz")))


def unreachable(name):
    raise requests.exceptions.ConnectionError("no route")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path / "cache" / "bnsym"


@pytest.fixture
def network(made_up, cache, monkeypatch):
    network = Network(made_up)
    monkeypatch.setattr(pooch, "HTTPDownloader", network)
    monkeypatch.setattr(data, "MNIST_MIRRORS", MIRRORS)
    return network


def files(cache):
    return {path.name: path.read_bytes() for path in cache.iterdir()}


def test_files_are_fetched_once(network, cache, made_up):
    assert_made_up(load_mnist())
    assert network.asked == [f"{MIRRORS[0]}{name}.gz" for name in made_up]
    assert files(cache) == made_up
    assert_made_up(load("mnist"))
    assert len(network.asked) == 4


def test_a_mirror_may_send_them_uncompressed(network, made_up):
    network.answers[MIRRORS[0]] = made_up.__getitem__
    assert_made_up(load_mnist())


def http_error(name):
    raise requests.exceptions.HTTPError("503")


def bad(change):
    return lambda contents: lambda name: change(contents[name])


BAD_ANSWERS = {
    "unreachable": lambda contents: unreachable,
    "http error": lambda contents: http_error,
    "web page": bad(lambda content: b"<html>Please log in</html>"),
    "flipped bit": bad(lambda content: gzip.compress(flip_last_bit(content))),
    "cut short": bad(lambda content: gzip.compress(content)[:-10]),
    "empty": bad(lambda content: b""),
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_the_second_mirror_is_used_when_the_first_fails(network, cache, made_up, answer):
    network.answers[MIRRORS[0]] = answer(made_up)
    assert_made_up(load_mnist())
    assert network.asked == [f"{mirror}{name}.gz" for name in made_up for mirror in MIRRORS]
    assert files(cache) == made_up


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_nothing_bad_stays_in_the_cache_and_the_next_run_retries(network, cache, made_up, answer):
    good = dict(network.answers)
    network.answers = dict.fromkeys(MIRRORS, answer(made_up))
    with pytest.raises(DataError, match=rf"^could not fetch {IMAGES}.gz into .*; give --data-dir with the four files$"):
        load_mnist()
    assert files(cache) == {}
    network.answers = good
    assert_made_up(load_mnist())


def test_the_sentence_says_what_each_mirror_did(network, cache, made_up):
    network.answers = {MIRRORS[0]: unreachable, MIRRORS[1]: BAD_ANSWERS["flipped bit"](made_up)}
    why = r"\(first.example: ConnectionError, second.example: sent other content than MNIST's\)"
    with pytest.raises(DataError, match=why):
        load_mnist()


def test_what_was_fetched_is_kept_when_a_later_file_fails(network, cache, made_up):
    network.answers = dict.fromkeys(MIRRORS, lambda name: made_up[name] if name == IMAGES else unreachable(name))
    with pytest.raises(DataError, match=f"could not fetch {LABELS}.gz"):
        load_mnist()
    assert files(cache) == {IMAGES: made_up[IMAGES]}


def test_a_cached_file_that_went_bad_is_replaced(network, cache, made_up):
    load_mnist()
    (cache / LABELS).write_bytes(flip_last_bit(made_up[LABELS]))
    assert_made_up(load_mnist())
    assert network.asked[4:] == [f"{MIRRORS[0]}{LABELS}.gz"]
    assert files(cache) == made_up


def test_a_cached_file_that_went_bad_is_not_used_without_a_network(network, cache, made_up):
    load_mnist()
    (cache / LABELS).write_bytes(flip_last_bit(made_up[LABELS]))
    network.answers = dict.fromkeys(MIRRORS, unreachable)
    with pytest.raises(DataError, match=f"could not fetch {LABELS}.gz"):
        load_mnist()


def test_a_cache_that_cannot_be_written_is_named(network, cache):
    cache.parent.mkdir()
    cache.touch()
    with pytest.raises(DataError, match=rf"could not fetch {IMAGES}.gz into {cache} \(first.example: \w+Error, "):
        load_mnist()


def test_a_data_directory_needs_no_network(network, directory):
    network.answers = {}
    load_mnist(directory)
    assert network.asked == []


def test_the_downloader_is_asked_as_pooch_has_it(tmp_path, monkeypatch):
    """The real downloader, over a made-up connection: the stand-in above must not be all that works."""
    response = requests.Response()
    response.status_code, response.raw = 200, io.BytesIO(gzip.compress(b"content"))
    monkeypatch.setattr(requests, "get", lambda url, **_: response)
    data._download_unpacked("https://first.example/x.gz", str(tmp_path / "x"), None)
    assert (tmp_path / "x").read_bytes() == b"content"
