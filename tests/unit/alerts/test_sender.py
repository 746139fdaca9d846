from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from loguru import logger

from shared.alerts.digest import Message
from shared.alerts.sender import Sender
from shared.errors import SettingsError
from shared.settings_sections import Secret
from tests.unit.alerts.inboxes import DEADLINE_S, TOKEN, Inbox

PROBLEM = Message("tickvisor: 1 problem", ("depth of SPY is stale", "and more"), "problem")


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Around any proxy of the machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    yield made
    made.close()


@pytest.fixture
def refusing_url() -> Iterator[str]:
    """A port that is taken, and where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"json://127.0.0.1:{bound.getsockname()[1]}/{TOKEN}"


@pytest.fixture
def hanging_url() -> Iterator[str]:
    """Connections are taken by the system, and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"json://127.0.0.1:{listening.getsockname()[1]}/{TOKEN}"


@pytest.fixture
def logged() -> Iterator[list[str]]:
    lines: list[str] = []
    number = logger.add(lambda message: lines.append(str(message)), format="{level} {message}")
    yield lines
    logger.remove(number)


def sender(*urls: str, timeout_s: float = 5.0) -> Sender:
    return Sender([Secret(url) for url in urls], timeout_s)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not await condition():
        assert time.monotonic() < deadline_s, "condition not met in time"
        await asyncio.sleep(0.01)


def test_a_message_reaches_its_url(inbox: Inbox) -> None:
    made = sender(inbox.url)
    asyncio.run(made.send(PROBLEM))
    (found,) = inbox.received
    assert (found["title"], found["message"], found["type"]) == (
        "tickvisor: 1 problem",
        "depth of SPY is stale\nand more",
        "failure",
    )
    assert (made.sent, made.failed, inbox.paths) == (1, 0, [f"/{TOKEN}"])


def test_the_kind_of_a_message_is_shown(inbox: Inbox) -> None:
    made = sender(inbox.url)
    asyncio.run(made.send(Message("tickvisor: 1 passed", ("brief",), "notice")))
    asyncio.run(made.send(Message("tickvisor: 1 recovered", ("over",), "recovery")))
    assert [found["type"] for found in inbox.received] == ["warning", "success"]


def test_a_text_is_sent_as_it_is(inbox: Inbox) -> None:
    line = r"<b>&amp; :smile: C:\new *bold* 99%"
    asyncio.run(sender(inbox.url).send(Message("t", (line,), "problem")))
    assert inbox.received[0]["message"] == line


def test_a_message_goes_to_all_urls_whatever_becomes_of_one(
    inbox: Inbox, refusing_url: str, hanging_url: str
) -> None:
    made = sender(refusing_url, hanging_url, inbox.url, timeout_s=1.0)
    asyncio.run(made.send(PROBLEM))
    assert (made.sent, made.failed, len(inbox.received)) == (1, 2, 1)


def test_without_urls_nothing_is_done() -> None:
    made = sender()
    made.post(PROBLEM)
    asyncio.run(made.send(PROBLEM))
    assert (made.sent, made.failed, made.dropped) == (0, 0, 0)


def test_a_server_that_refuses_counts_as_failed_and_is_told_once(
    refusing_url: str, logged: list[str]
) -> None:
    made = sender(refusing_url)
    for _ in range(3):
        asyncio.run(made.send(PROBLEM))
    assert (made.sent, made.failed) == (0, 3)
    assert logged == ["WARNING alert not sent to alerts.urls[0]: not accepted\n"]


def test_an_error_of_the_service_is_told_and_so_is_its_end(inbox: Inbox, logged: list[str]) -> None:
    made = sender(inbox.url)
    inbox.status = 500
    for _ in range(2):
        asyncio.run(made.send(PROBLEM))
    inbox.status = 200
    asyncio.run(made.send(PROBLEM))
    assert (made.sent, made.failed) == (1, 2)
    assert logged == [
        "WARNING alert not sent to alerts.urls[0]: not accepted\n",
        "INFO alert sent to alerts.urls[0] after 2 failures\n",
    ]


def test_a_server_that_hangs_is_given_up_and_the_loop_goes_on(
    hanging_url: str, logged: list[str]
) -> None:
    made = sender(hanging_url, timeout_s=0.3)
    beats = 0

    async def scenario() -> None:
        nonlocal beats
        sending = asyncio.ensure_future(made.send(PROBLEM))
        while not sending.done():
            beats += 1
            await asyncio.wait({sending}, timeout=0.01)
        await sending

    started_s = time.monotonic()
    asyncio.run(scenario())
    # Its thread goes on for the 4 s that apprise waits for an answer, and nobody waits for it.
    assert time.monotonic() - started_s < 3.0
    assert (made.sent, made.failed) == (0, 1)
    assert beats >= 5
    assert logged == ["WARNING alert not sent to alerts.urls[0]: no answer within 0.3 s\n"]


def test_a_service_that_hangs_holds_one_thread_and_is_used_again_when_it_is_free(
    inbox: Inbox,
) -> None:
    made = sender(inbox.url, timeout_s=0.2)
    inbox.open.clear()

    async def delivered() -> bool:
        await made.send(PROBLEM)
        return made.sent > 0

    async def scenario() -> None:
        for _ in range(5):
            await made.send(PROBLEM)
        assert made.failed == 5
        # The others were not tried while the first was under way.
        assert len(inbox.received) <= 1
        inbox.open.set()
        await until(delivered)

    asyncio.run(scenario())
    assert len(inbox.received) >= 2


def test_posted_messages_are_sent_in_order(inbox: Inbox) -> None:
    made = sender(inbox.url)

    async def three() -> bool:
        return made.sent == 3

    async def scenario() -> None:
        running = asyncio.ensure_future(made.run())
        for number in range(3):
            made.post(Message("t", (f"line {number}",), "problem"))
        await until(three)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())
    assert [found["message"] for found in inbox.received] == ["line 0", "line 1", "line 2"]


def test_of_too_many_waiting_messages_the_oldest_are_dropped(inbox: Inbox) -> None:
    made = sender(inbox.url)
    for number in range(53):
        made.post(Message("t", (f"line {number}",), "problem"))

    async def all_sent() -> bool:
        return made.sent == 50

    async def scenario() -> None:
        running = asyncio.ensure_future(made.run())
        await until(all_sent)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())
    assert (made.dropped, inbox.received[0]["message"]) == (3, "line 3")


def test_a_service_that_raises_is_a_failure_without_its_text(
    inbox: Inbox, logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(*_: object, **__: object) -> bool:
        raise ValueError(f"cannot reach {inbox.url}")

    made = sender(inbox.url)
    monkeypatch.setattr("apprise.Apprise.notify", raising)
    asyncio.run(made.send(PROBLEM))
    assert (made.failed, logged) == (1, ["WARNING alert not sent to alerts.urls[0]: ValueError\n"])


def test_a_machine_without_threads_is_a_failure(
    inbox: Inbox, logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    made = sender(inbox.url)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        asyncio.run(made.send(PROBLEM))
    assert (made.failed, len(logged)) == (1, 1)
    asyncio.run(made.send(PROBLEM))
    assert made.sent == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no url at all",
        f"nosuch://{TOKEN}",
        f"json://u:{TOKEN}@",
        f"json://127.0.0.1/{TOKEN}, nosuch://{TOKEN}",
    ],
)
def test_an_unusable_url_is_refused_without_being_shown(
    url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        sender("json://127.0.0.1/fine", url)
    (problem,) = caught.value.problems
    assert problem.startswith("alerts.urls[1]: was ***, must be a URL")
    out, err = capfd.readouterr()
    assert TOKEN not in problem + out + err


def test_all_unusable_urls_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        sender("nosuch://a", "json://127.0.0.1/fine", "nosuch://b")
    assert [problem[:14] for problem in caught.value.problems] == [
        "alerts.urls[0]",
        "alerts.urls[2]",
    ]


def test_several_services_behind_one_url_are_all_told(inbox: Inbox) -> None:
    made = sender(f"{inbox.url}, {inbox.url}")
    asyncio.run(made.send(PROBLEM))
    assert (made.sent, len(inbox.received)) == (2, 2)


def test_no_failure_puts_the_token_anywhere(
    inbox: Inbox, refusing_url: str, hanging_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    inbox.status = 404
    texts: list[str] = []
    everything = logging.Handler(logging.DEBUG)
    everything.emit = lambda record: texts.append(record.getMessage())  # type: ignore[method-assign]
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(everything)
    root.setLevel(logging.DEBUG)
    try:
        made = sender(inbox.url, refusing_url, hanging_url, timeout_s=0.5)
        asyncio.run(made.send(PROBLEM))
    finally:
        root.setLevel(level)
        root.removeHandler(everything)
    assert made.failed == 3
    out, err = capfd.readouterr()
    assert TOKEN not in out + err + "".join(texts) + repr(made)
