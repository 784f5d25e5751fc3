"""`watch`: a page of the rules in a file, made again when it changes; mistakes are told with their line."""

import http.client
import threading
import time

import pytest

from optverify.report.watch import Server, Watched, rules_of

GOOD = """
from optverify.language import Hyperparameter, Source, g, grad, lr, positive, rule, t, theta

@rule("mine", title="My rule", sources=[Source("Me", 2026, "Note", "1")],
      hyperparameters=[Hyperparameter(lr, r"\\eta", 0.1, positive, "step size")])
def mine(d):
    \"\"\"Downhill.\"\"\"
    yield g[t], grad
    yield theta[t], theta[t-1] - FACTOR*lr*g[t]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(GOOD.replace("FACTOR", "2"), "utf-8")
    return path


@pytest.fixture
def served(file):
    said = []
    server = Server(Watched(file), 0, said.append)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server, said
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)
    assert not thread.is_alive()


def fetch(server, path="/"):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


def until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_page_follows_the_file_and_tells_the_browser(served, file):
    server, said = served
    status, body = fetch(server)
    assert (status, "My rule" in body) == (200, True)
    assert "default-src &#39;none&#39;" in body
    assert fetch(server, "/other")[0] == 404
    events = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    events.request("GET", "/events")
    stream = events.getresponse()
    file.write_text(GOOD.replace("FACTOR", "3").replace("My rule", "Another title"), "utf-8")
    while (line := stream.fp.readline()).startswith((b":", b"\n")):
        pass
    assert line == b"data: 2\n"
    events.close()
    assert "Another title" in fetch(server)[1]
    assert said == ["mine.py was read again"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def f(:\n", "mine.py, line 1: invalid syntax"),
        (
            "\n\nimport no_such_thing\n",
            "mine.py, line 3: ModuleNotFoundError: No module named 'no_such_thing'",
        ),
        ("x = 1\n", "mine.py: mine.py defines no rule"),
        (GOOD.replace("FACTOR", "beta"), "line 9: NameError"),
        (
            GOOD.replace("FACTOR", "2").replace("hyperparameters=[Hyper", "hyperparameters=[] and [Hyper"),
            "which nothing before it defines",
        ),
    ],
)
def test_a_mistake_is_shown_above_the_last_good_page(file, text, sentence):
    watched = Watched(file)
    assert watched.look()
    file.write_text(text + "# <script>\n", "utf-8")
    assert watched.look()
    assert sentence in watched.state.mistake
    assert "My rule" in watched.state.body
    assert 'role="alert"' in watched.state.body
    file.write_text(GOOD.replace("FACTOR", "5"), "utf-8")
    assert watched.look()
    assert watched.state.mistake == ""
    assert not watched.look()


def test_a_file_that_goes_away_is_a_mistake_and_comes_back(file):
    watched = Watched(file)
    watched.look()
    text = file.read_text("utf-8")
    file.unlink()
    watched.look()
    assert "No such file" in watched.state.mistake
    file.write_text(text, "utf-8")
    watched.look()
    assert watched.state.mistake == ""


def test_one_rule_of_several_is_chosen_by_name(file):
    assert [r.name for r in rules_of(file, "mine")] == ["mine"]
    with pytest.raises(ValueError, match="defines no rule 'other': it has mine"):
        rules_of(file, "other")


def test_a_port_in_use_is_refused_in_one_sentence(served, file):
    with pytest.raises(OSError, match=r"cannot listen on port \d+ .*: name another by --port"):
        Server(Watched(file), served[0].server_address[1], print)


def test_a_browser_shows_the_change(served, file, browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{served[0].server_address[1]}/")
    page.wait_for_selector("#mine .eq")
    assert page.locator(".try").count() == 0
    before = page.text_content("#mine .equations")
    file.write_text(GOOD.replace("FACTOR", "7"), "utf-8")
    page.wait_for_function("(b) => document.querySelector('#mine .equations')?.textContent !== b", arg=before)
    assert "7" in page.text_content("#mine .equations")
    file.write_text("nonsense(", "utf-8")
    page.wait_for_selector("[role=alert]")
    assert "line 1" in page.text_content("[role=alert]")
    context.close()
