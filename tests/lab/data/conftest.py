"""Fixtures for the data sets: the folder of the real files, an empty cache, and a file server."""

import functools
import http.server
import os
import threading

import pooch
import pytest


@pytest.fixture
def real_folder():
    if not os.environ.get("KFGN_DATA"):
        pytest.skip("set KFGN_DATA to a folder with mnist/train-images-idx3-ubyte.gz, faces/olivetti.npz, ...")
    return os.environ["KFGN_DATA"]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, without a folder in the environment."""
    monkeypatch.delenv("KFGN_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path / "cache" / "kfgn"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A folder that a local server offers, its address, and the requested paths."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, *_args):
            asked.append(self.path)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}/", asked
        httpd.shutdown()
        thread.join()
