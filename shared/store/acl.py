"""Who may do what in Redis: the users of an ACL file, for Redis 7 and later.

Which keys a worker writes is read off the contract (`shared/schema`), so that the two cannot
drift; here stand only the commands, and what no row of the contract can say.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.schema.row import Row, Shape
from shared.schema.table import rows
from shared.settings import WORKERS, Secret
from shared.settings_redis import ADMIN, GUARDIAN, OPERATOR, READER, password_of
from shared.store.keys import Keys

USERS: Final = (*WORKERS, GUARDIAN, OPERATOR, READER, ADMIN)

_EVERY_WORKER: Final = "every worker"
_OPERATORS: Final = "operators"

# What a client does before and beside its work. Redis 7.0 knows no `client|setinfo`, which clients
# send to later ones, so that it cannot be named here.
_SESSION: Final = (
    "ping hello select time multi exec discard"
    " client -client|kill -client|list -client|no-evict -client|pause -client|unblock"
    " -client|unpause"
)
_SCRIPTS: Final = "eval evalsha"
_READS: Final = (
    "get mget getrange strlen exists type ttl pttl"
    " hget hmget hgetall hexists hkeys hlen lindex llen lrange"
    " xlen xrange xrevrange xread zcard zrange zrangebyscore"
)
_PUBSUB: Final = "subscribe unsubscribe psubscribe punsubscribe"
# Claims, heartbeat, metrics, incidents, commands that were taken.
_OF_A_WORKER: Final = "script|load set del expire hset hdel xadd lpop ltrim"
_OF_A_FEED: Final[dict[str, str]] = {
    "ibkr_depth": "setex",
    "ibkr_trades": "lpush zadd zremrangebyscore",
    # INFO: the bucket begins anew when the server did.
    "av_options": "append unlink rename publish hincrby pexpire info",
    "av_sentiment": "publish hincrby pexpire info",
    "watchdog": "rpush",
}


@dataclass(frozen=True, slots=True)
class Rights:
    """Patterns of keys and channels, and commands.

    `on_any` are commands on every key that may be read. A script is called so, since Redis takes
    each key of a call for one that is written; what the script does is checked command by command.
    """

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    channels: tuple[str, ...]
    commands: str
    on_any: str

    def rule(self) -> str:
        """As ACL SETUSER takes it; what is in brackets is a second set of rights."""
        words = [f"%R~{one}" for one in self.reads] + [f"~{one}" for one in self.writes]
        words += ["resetchannels", *(f"&{one}" for one in self.channels)]
        words += ["-@all", *_granted(self.commands)]
        if self.on_any:
            keys = [f"~{one}" for one in self.reads]
            words.append(f"({' '.join([*keys, '-@all', *_granted(self.on_any)])})")
        return " ".join(words)


def _granted(commands: str) -> list[str]:
    return [one if one[0] in "+-" else f"+{one}" for one in commands.split()]


def acl_file(secret: Secret, prefix: str) -> str:
    """Every user on a line, passwords as their SHA-256; nobody gets in without one."""
    lines = ["user default reset off"]
    for user in USERS:
        password = password_of(secret, user).reveal()
        digest = hashlib.sha256(password.encode()).hexdigest()
        lines.append(f"user {user} reset on #{digest} {rule_of(user, prefix)}")
    return "\n".join(lines) + "\n"


def rule_of(user: str, prefix: str) -> str:
    if user == ADMIN:
        return "~* &* +@all"
    return rights_of(user, Keys(prefix)).rule()


def rights_of(user: str, keys: Keys) -> Rights:
    """What everybody but `admin` may do."""
    ours = keys.owned_patterns()
    if user in WORKERS:
        commands = f"{_SESSION} {_READS} {_OF_A_WORKER} {_OF_A_FEED[user]}"
        return Rights(ours, _written(user, keys), _channels(user, keys), commands, _SCRIPTS)
    return _OTHERS[user](ours, keys)


def _guardian(ours: tuple[str, ...], keys: Keys) -> Rights:
    """Its probe changes nothing, but must be a write."""
    writes = (keys.incidents(), keys.control(GUARDIAN))
    return Rights(ours, writes, (), f"{_SESSION} get xadd xrevrange setrange", _SCRIPTS)


def _operator(ours: tuple[str, ...], keys: Keys) -> Rights:
    """What `tickvisor` does: look at all, give commands, take calls of the budget, reset."""
    writes = (keys.control("*"), keys.rate_limit("*"))
    looks = "scan dbsize info config|get slowlog|get memory|usage acl|whoami"
    acts = "script|load rpush ltrim expire pexpire hset hincrby"
    commands = f"{_SESSION} {_READS} {_PUBSUB} {looks} {acts}"
    return Rights(ours, writes, (keys.events("*"),), commands, f"{_SCRIPTS} unlink del")


def _reader(ours: tuple[str, ...], keys: Keys) -> Rights:
    """Other programs: everything that only looks and holds nobody up."""
    commands = f"{_SESSION} +@read -@dangerous {_PUBSUB} info acl|whoami"
    return Rights(ours, (), (keys.events("*"),), commands, "")


_OTHERS: Final[dict[str, Callable[[tuple[str, ...], Keys], Rights]]] = {
    GUARDIAN: _guardian,
    OPERATOR: _operator,
    READER: _reader,
}


def writers_of(row: Row) -> tuple[str, ...]:
    """Users who may write a key of this row."""
    named = {_EVERY_WORKER: WORKERS, _OPERATORS: (OPERATOR,)}
    found = [user for writer in row.writers for user in named.get(writer, (writer,))]
    if row.name == "incidents":
        found.append(GUARDIAN)
    return tuple(found)


def _written(worker: str, keys: Keys) -> tuple[str, ...]:
    """Patterns of the keys that a worker writes; those named after a worker, its own only."""
    found = []
    for row in rows():
        if row.name == "control":
            # Whoever gives commands does to all, whoever takes them takes its own.
            found.append(keys.control("*" if worker in row.writers else worker))
        elif worker in writers_of(row) and row.shape is not Shape.CHANNEL:
            found.append(_pattern(row, keys, worker))
    return tuple(dict.fromkeys(found))


def _channels(worker: str, keys: Keys) -> tuple[str, ...]:
    return tuple(
        _pattern(row, keys, worker)
        for row in rows()
        if row.shape is Shape.CHANNEL and worker in row.writers
    )


def _pattern(row: Row, keys: Keys, worker: str) -> str:
    """No name in a key holds a colon, so a star stands for one name."""
    return re.sub(r"\{[a-z_]+\}", "*", row.key(keys).replace("{worker}", worker))
