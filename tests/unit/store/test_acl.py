"""Rights of the Redis users against the contract's keys; Redis itself is asked in tests/store."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from importlib.resources import files

import pytest

from shared.schema.row import Row, Shape
from shared.schema.table import rows
from shared.settings import WORKERS, Secret
from shared.store.acl import USERS, acl_file, rights_of, writers_of
from shared.store.keys import Keys
from shared.store.scripts import script

SECRET = Secret("correct horse battery")
NOBODYS = ("admin", "reader")
# A worker takes the commands that are given to it, and so writes their list.
COMMANDS = "control"


def example(row: Row, prefix: str, worker: str = "ibkr_depth") -> str:
    """A key of this row, with a name such as the universe has for each placeholder."""
    key = row.key(Keys(prefix)).replace("{worker}", worker)
    return re.sub(r"\{[a-z_]+\}", "BRK.B", key)


def may_write(user: str, key: str, prefix: str) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in rights_of(user, Keys(prefix)).writes)


KEYS_OF_ROWS = [row for row in rows() if row.shape is not Shape.CHANNEL and row.name != COMMANDS]


@pytest.mark.parametrize("prefix", ["", "desk1:"])
@pytest.mark.parametrize("row", KEYS_OF_ROWS, ids=lambda row: row.name)
def test_a_key_is_written_by_its_writers_and_by_no_other_user(row: Row, prefix: str) -> None:
    by_name = "{worker}" in row.key(Keys())
    for user in USERS:
        if user in NOBODYS:
            continue
        # A key named after a worker is that worker's.
        owner = user if by_name and user in WORKERS else "ibkr_depth"
        wanted = user in writers_of(row) and (not by_name or user in WORKERS)
        if user == "operator" and row.name == "rate_limit":
            wanted = True  # the doctor takes its two calls out of the budget
        assert may_write(user, example(row, prefix, owner), prefix) is wanted, user


def test_a_key_named_after_a_worker_is_written_by_no_other_one() -> None:
    named = [row for row in KEYS_OF_ROWS if "{worker}" in row.key(Keys())]
    assert len(named) == 5
    for row in named:
        for user in WORKERS:
            others = [example(row, "", other) for other in WORKERS if other != user]
            assert not any(may_write(user, key, "") for key in others)


def test_commands_are_given_to_any_and_taken_by_their_own_worker() -> None:
    keys = Keys()
    for user in ("operator", "watchdog"):
        assert may_write(user, keys.control("ibkr_depth"), "")
    for user in ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment"):
        assert [one for one in WORKERS if may_write(user, keys.control(one), "")] == [user]


def test_everybody_may_read_every_key_and_no_key_of_others() -> None:
    for prefix in ("", "desk1:"):
        for user in set(USERS) - {"admin"}:
            reads = rights_of(user, Keys(prefix)).reads
            for row in KEYS_OF_ROWS:
                assert any(fnmatchcase(example(row, prefix), one) for one in reads)
            assert not any(fnmatchcase("somebody:else", one) for one in reads)


@pytest.mark.parametrize("row", [row for row in rows() if row.shape is Shape.CHANNEL])
def test_a_channel_is_spoken_on_by_its_writers_alone(row: Row) -> None:
    channel = example(row, "")
    heard = {user: rights_of(user, Keys()).channels for user in WORKERS}
    spoken = [user for user in WORKERS if any(fnmatchcase(channel, one) for one in heard[user])]
    assert spoken == list(row.writers)
    for user in ("reader", "operator"):
        assert any(fnmatchcase(channel, one) for one in rights_of(user, Keys()).channels)
        assert "publish" not in rights_of(user, Keys()).commands.split()


ALPHA_VANTAGE = ("av_options", "av_sentiment")
# Who runs which script; a new one must be entered here.
RUN_BY = {
    "append_once": (*WORKERS, "guardian"),
    "bars_put": ("ibkr_trades",),
    "heartbeat": WORKERS,
    "lease_acquire": WORKERS,
    "lease_release": WORKERS,
    "lease_renew": WORKERS,
    "ticker_last": ("ibkr_trades",),
    "ticker_quote": ("ibkr_depth", "ibkr_trades"),
    "ticker_release": ("ibkr_depth", "ibkr_trades"),
    "token_confirm": (*ALPHA_VANTAGE, "operator"),
    "token_cooldown": (*ALPHA_VANTAGE, "operator"),
    "token_reserve": (*ALPHA_VANTAGE, "operator"),
    "trades_append": ("ibkr_trades",),
    "worker_field": WORKERS,
}
SCRIPTS = sorted(path.name for path in files("shared.store").joinpath("lua").iterdir())


@pytest.mark.parametrize("name", SCRIPTS)
def test_whoever_runs_a_script_may_do_all_that_is_in_it(name: str) -> None:
    text = script(name.removesuffix(".lua")).text
    called = {one.lower() for one in re.findall(r"redis\.p?call\(\"([A-Z]+)\"", text)}
    assert called
    for user in RUN_BY[name.removesuffix(".lua")]:
        assert called - set(rights_of(user, Keys()).commands.split()) == set(), user


FORBIDDEN = {
    "acl|setuser", "bgrewriteaof", "config", "config|set", "debug", "flushall", "flushdb", "keys",
    "migrate", "module", "monitor", "replicaof", "save", "script|flush", "script|kill", "shutdown",
    "slaveof", "swapdb",
}  # fmt: skip


@pytest.mark.parametrize("user", [user for user in USERS if user != "admin"])
def test_nobody_in_daily_work_may_do_what_harms_all(user: str) -> None:
    rights = rights_of(user, Keys())
    granted = set(f"{rights.commands} {rights.on_any}".split())
    assert not granted & FORBIDDEN
    assert {one for one in granted if "@" in one} <= {"+@read", "-@dangerous"}


def test_the_file_has_a_line_for_each_user_and_no_way_in_without_a_password() -> None:
    lines = acl_file(SECRET, "").splitlines()
    assert lines[0] == "user default reset off"
    assert [line.split()[1] for line in lines[1:]] == list(USERS)
    for line in lines[1:]:
        assert re.match(r"user \w+ reset on #[0-9a-f]{64} \S", line)
        assert "nopass" not in line
    assert SECRET.reveal() not in "".join(lines)
