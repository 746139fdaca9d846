from __future__ import annotations

import io

import pytest

from deploy.listeners.protocol import Event, serve

EXITED = b"processname:ibkr_depth groupname:ibkr_depth from_state:RUNNING expected:0 pid:2766"


def header(name: bytes, payload: bytes) -> bytes:
    head = b"ver:3.0 server:tickvisor serial:21 pool:guardian poolserial:10 eventname:%s len:%d\n"
    return head % (name, len(payload)) + payload


def served(*raw: bytes) -> tuple[list[Event], bytes]:
    heard: list[Event] = []
    answers = io.BytesIO()
    serve(io.BytesIO(b"".join(raw)), answers, heard.append)
    return heard, answers.getvalue()


def test_every_event_is_answered_and_the_end_of_the_pipe_ends_it() -> None:
    heard, answers = served(header(b"TICK_5", b"when:1201063880"), header(b"TICK_5", b"when:5"))
    assert [(event.name, dict(event.fields)) for event in heard] == [
        ("TICK_5", {"when": "1201063880"}),
        ("TICK_5", {"when": "5"}),
    ]
    assert answers == b"READY\nRESULT 2\nOKREADY\nRESULT 2\nOKREADY\n"


def test_an_unexpected_end_is_a_crash_of_a_program_and_a_pid() -> None:
    heard, _ = served(header(b"PROCESS_STATE_EXITED", EXITED))
    assert heard[0].crash == ("ibkr_depth", 2766)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        (b"PROCESS_STATE_EXITED", EXITED.replace(b"expected:0", b"expected:1")),
        (b"PROCESS_STATE_EXITED", EXITED.replace(b"pid:2766", b"pid:x")),
        (b"PROCESS_STATE_EXITED", b""),
        (b"PROCESS_STATE_STOPPED", EXITED),
        (b"TICK_5", b"when:5"),
    ],
)
def test_nothing_else_is_a_crash(name: bytes, payload: bytes) -> None:
    heard, _ = served(header(name, payload))
    assert heard[0].crash is None


@pytest.mark.parametrize(
    "raw", [b"\n", b"nonsense\n", b"\xff\xfe:\xff\n", b"eventname:TICK_5 len:many\n", b"len:-5\n"]
)
def test_what_is_no_event_is_answered_and_the_next_one_is_heard(raw: bytes) -> None:
    heard, answers = served(raw, header(b"TICK_5", b"when:5"))
    assert heard[-1] == Event("TICK_5", {"when": "5"})
    assert answers.count(b"RESULT 2\nOK") == 2


def test_a_payload_that_is_cut_short_ends_in_the_end_of_the_pipe() -> None:
    heard, answers = served(b"eventname:TICK_5 len:500\nwhen:5")
    assert heard == [Event("TICK_5", {"when": "5"})]
    assert answers.endswith(b"READY\n")
