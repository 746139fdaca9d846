from __future__ import annotations

from simulators.tws.session import Action, Close, Send, Session
from simulators.tws.wire import FrameBuffer, fields_of, frame, message
from simulators.tws.world import Moment, World

from .worlds import world

NOW = Moment(mono_s=100.0, wall_s=1_700_000_000.0)
HELLO = b"API\0" + frame(b"v157..178")
DEPTH = "10 5 {} 0 {} STK . 0.0 . . {} . USD . . 10 {} ."


def request(text: str) -> bytes:
    return message(*("" if word == "." else word for word in text.split(" ")))


def replies(actions: list[Action]) -> list[list[str]]:
    data = b"".join(action.data for action in actions if isinstance(action, Send))
    return [fields_of(payload) for payload in FrameBuffer().feed(data)]


def codes(actions: list[Action]) -> list[str]:
    return [reply[3] for reply in replies(actions) if reply[0] == "4"]


def logged_in(here: World, connection: int = 1, client_id: int = 777) -> Session:
    session = Session(here, connection)
    session.receive(HELLO, NOW)
    session.receive(message(71, 2, client_id, ""), NOW)
    return session


def test_the_greeting_is_answered_with_version_and_time() -> None:
    actions = Session(world(), 1).receive(HELLO, NOW)
    assert replies(actions) == [["178", "20231114 22:13:20 GMT"]]


def test_the_version_is_never_above_the_clients_own() -> None:
    actions = Session(world(), 1).receive(b"API\0" + frame(b"v157..170 +PACEAPI"), NOW)
    assert replies(actions)[0][0] == "170"


def test_a_greeting_in_single_bytes_is_understood() -> None:
    session = Session(world(), 1)
    actions = [action for byte in HELLO for action in session.receive(bytes([byte]), NOW)]
    assert replies(actions)[0][0] == "178"


def test_bytes_that_are_not_the_protocol_close_the_connection() -> None:
    here = world()
    assert Session(here, 1).receive(b"GET / HTTP/1.1\r\n", NOW) == [Close()]
    assert here.counters.malformed == 1


def test_log_in_is_answered_with_accounts_next_id_and_farms() -> None:
    session = Session(world(), 1)
    session.receive(HELLO, NOW)
    answered = replies(session.receive(message(71, 2, 777, ""), NOW))
    assert answered[:2] == [["15", "1", "DU9000001"], ["9", "1", "1"]]
    assert [reply[3] for reply in answered[2:]] == ["2104", "2106", "2158"]


def test_a_client_id_in_use_is_326_and_closed() -> None:
    here = world()
    logged_in(here, connection=1, client_id=777)
    session = Session(here, 2)
    session.receive(HELLO, NOW)
    actions = session.receive(message(71, 2, 777, ""), NOW)
    assert codes(actions) == ["326"]
    assert actions[-1] == Close()


def test_a_client_id_is_free_again_after_the_disconnect() -> None:
    here = world()
    logged_in(here, connection=1).disconnected(NOW)
    assert logged_in(here, connection=2).client_id == 777


def test_the_refused_twin_does_not_free_the_client_id() -> None:
    here = world()
    logged_in(here, connection=1)
    twin = logged_in(here, connection=2)
    twin.disconnected(NOW)
    assert here.roster == {777: 1}


def test_contract_details_echo_the_exchange() -> None:
    session = logged_in(world())
    details = request("9 8 4 0 AAPL STK . 0.0 . . ISLAND . USD . . 0 . . .")
    answered = replies(session.receive(details, NOW))
    assert [reply[0] for reply in answered] == ["10", "52"]
    assert (answered[0][1], answered[0][7], answered[0][12]) == ("4", "ISLAND", "265598")


def test_contract_details_of_the_other_nasdaq_spelling_are_200() -> None:
    session = logged_in(world(nasdaq_name="ISLAND"))
    details = request("9 8 4 0 AAPL STK . 0.0 . . NASDAQ . USD . . 0 . . .")
    assert codes(session.receive(details, NOW)) == ["200"]


def test_a_depth_request_is_answered_by_rows_alone() -> None:
    here = world()
    session = logged_in(here)
    assert session.receive(request(DEPTH.format(1, "SPY", "ARCA", 0)), NOW) == []
    assert here.desk.open_con_ids() == {756733}


def test_a_smart_depth_request_gets_notice_2152() -> None:
    session = logged_in(world())
    actions = session.receive(request(DEPTH.format(1, "SPY", "SMART", 1)), NOW)
    assert codes(actions) == ["2152"]


def test_smart_without_the_flag_is_10092() -> None:
    session = logged_in(world())
    actions = session.receive(request(DEPTH.format(1, "SPY", "SMART", 0)), NOW)
    assert codes(actions) == ["10092"]


def test_the_start_up_requests_are_all_answered() -> None:
    session = logged_in(world())
    asked = [
        "61 1",
        "5 1",
        "99 0",
        "6 2 1 DU9000001",
        "76 1 8 DU9000001 . 0",
        "7 3 9 0 . . . . . .",
    ]
    answered = [replies(session.receive(request(text), NOW)) for text in asked]
    assert answered == [
        [["62", "1"]],
        [["53", "1"]],
        [["102"]],
        [["54", "1", "DU9000001"]],
        [["74", "1", "8"]],
        [["55", "1", "9"]],
    ]


def test_positions_are_left_unanswered_when_told_so() -> None:
    session = logged_in(world(mute_position_end=True))
    assert session.receive(message(61, 1), NOW) == []


def test_current_time_is_answered_unless_muted() -> None:
    assert replies(logged_in(world()).receive(message(49, 1), NOW)) == [["49", "1", "1700000000"]]
    assert logged_in(world(mute_current_time=True)).receive(message(49, 1), NOW) == []


def test_an_account_summary_request_is_ended() -> None:
    answered = replies(logged_in(world()).receive(message(62, 1, 5, "All", "x"), NOW))
    assert answered == [["64", "1", "5"]]


def test_an_unknown_request_is_counted_and_not_fatal() -> None:
    here = world()
    session = logged_in(here)
    assert session.receive(message(3, 45, "x"), NOW) == []
    assert here.counters.unknown_requests == {3: 1}


def test_a_malformed_request_is_320_and_not_fatal() -> None:
    session = logged_in(world())
    assert codes(session.receive(message(11, 1, "x", 0), NOW)) == ["320"]


def test_requests_before_the_log_in_are_ignored() -> None:
    session = Session(world(), 1)
    session.receive(HELLO, NOW)
    assert session.receive(message(49, 1), NOW) == []


def test_more_messages_a_second_than_the_limit_are_error_100_once() -> None:
    here = world(rate_limit=50)
    session = logged_in(here)
    later = Moment(102.0, 1_700_000_002.0)
    actions = [a for _ in range(53) for a in session.receive(message(49, 1), later)]
    assert codes(actions) == ["100"]
    assert len(replies(actions)) == 51
    assert here.counters.messages_per_s_peak == {777: 53}


def test_the_rate_limit_may_close_the_connection() -> None:
    session = logged_in(world(rate_limit=3, rate_limit_close=True))
    actions = [a for _ in range(9) for a in session.receive(message(49, 1), NOW)]
    assert codes(actions) == ["100"]
    assert actions[-1] == Close()


def test_a_disconnect_ends_the_subscriptions() -> None:
    here = world()
    session = logged_in(here)
    session.receive(request(DEPTH.format(1, "SPY", "ARCA", 0)), NOW)
    session.disconnected(NOW)
    assert list(here.desk) == []
