"""Settings and symbol files made to break, to blow up, or to give a secret away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from shared.errors import SettingsError
from shared.settings import load_settings
from shared.yaml_document import MAX_FILE_BYTES
from tests.hostile.fuzzing import SECRET, unreadable

UNIVERSE = b"symbols: {SPY: {venues: [ARCA]}, AAPL: , QQQ: , IWM: }\n"
INGESTION = "config/ingestion.yaml"
SYMBOLS = "config/ibkr_symbols.yaml"
# Nine times nine times nine ...: 500 MB as text.
BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%b]\n" % (at, at, b", ".join([b"*%c" % (at - 1)] * 9)) for at in range(98, 106)
)
MERGE_BOMB = b"a: &a {k: 1}\n" + b"".join(
    b"%c: &%c {<<: [%b]}\n" % (at, at, b", ".join([b"*%c" % (at - 1)] * 9)) for at in range(98, 106)
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "var/run").mkdir(parents=True)
    (tmp_path / INGESTION).write_bytes(b"")
    (tmp_path / SYMBOLS).write_bytes(UNIVERSE)
    return tmp_path


def refusal(root: Path, **env: str) -> tuple[str, ...]:
    """What is said of unusable settings; nothing where they can be used."""
    try:
        load_settings(env, root)
    except SettingsError as error:
        assert unreadable(error.problems) == []
        return error.problems
    return ()


def sole_refusal(root: Path, **env: str) -> str:
    (line,) = refusal(root, **env)
    return line.removeprefix(f"{root}/config/")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (BOMB, "an alias (*) is not taken here, quote what starts with one, line 2, column 8"),
        (MERGE_BOMB, "an alias (*) is not taken here, quote what starts with one, line 2"),
        (b"ibkr: &a {host: *a}", "an alias (*) is not taken here"),
        (b"a: " + b"[" * 200_000, "nested deeper than 20, line 1"),
        (b"{a: " * 100_000, "nested deeper than 20, line 1"),
        (b"- " * 100_000, "nested deeper than 20, line 1"),
        (b"a: !!python/object/apply:os.system ['id']", "a tag (!) is not taken here"),
        (b"a: !!int abc", "a tag (!) is not taken here"),
        (b"a: !!timestamp 2017-13-15", "a tag (!) is not taken here"),
        (b"a: !!bool maybe", "a tag (!) is not taken here"),
        (b"? [a]\n: 1", "a key must be text, line 1, column 3"),
        (b"? {a: 1}\n: 1", "a key must be text, line 1, column 3"),
        (b"ibkr: {host: a\xff}", "unreadable, "),
        ("ibkr: {}".encode("utf-16"), "unreadable, "),
        (b"ibkr: {host: a\x00b}", "unacceptable character #x0000"),
        (b'ibkr: {host: "a\\0b"}', "a key or value must be printable text on one line, line 1"),
        (b'ibkr: {host: "\\udcff"}', "a key or value must be printable text on one line"),
        (b'"a\\nb\\e[31m": 1', "a key or value must be printable text on one line"),
        (b"a: 1\na: 2", "key a stands twice, again in line 2"),
        (b"#" * (MAX_FILE_BYTES + 1), "unreadable, larger than 1048576 bytes"),
    ],
)
@pytest.mark.parametrize("name", [INGESTION, SYMBOLS])
def test_a_file_that_is_no_plain_yaml_is_refused_in_one_line(
    root: Path, name: str, content: bytes, expected: str
) -> None:
    (root / name).write_bytes(content)
    said = sole_refusal(root)
    assert said.startswith(f"{Path(name).name}: ")
    assert expected in said


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"9" * 6_000, "a number was 6000 long, must be 40"),
        (b"0x" + b"f" * 9_000, "a number was 9002 long, must be 40"),
        (b"1" + b":59" * 3_000, "a number was 9001 long, must be 40"),
        (b"1" + b":59" * 3_000 + b".5", "a number was 9003 long, must be 40"),
    ],
)
def test_a_number_of_thousands_of_digits_is_not_read(
    root: Path, content: bytes, expected: str
) -> None:
    (root / INGESTION).write_bytes(b"ibkr: {port: %b}" % content)
    assert expected in sole_refusal(root)


@pytest.mark.parametrize("name", [INGESTION, SYMBOLS])
def test_what_is_no_file_is_refused_and_not_waited_for(root: Path, name: str) -> None:
    (root / name).unlink()
    os.mkfifo(root / name)
    assert sole_refusal(root) == f"{Path(name).name}: unreadable, not a regular file"
    (root / name).unlink()
    (root / name).mkdir()
    assert sole_refusal(root) == f"{Path(name).name}: unreadable, Is a directory"


def test_a_file_of_100_mb_is_not_read_to_its_end(root: Path) -> None:
    with open(root / INGESTION, "wb") as file:
        file.truncate(100_000_000)
    assert sole_refusal(root) == "ingestion.yaml: unreadable, larger than 1048576 bytes"
    assert refusal(root, TICKVISOR_CONFIG="/dev/zero") == (
        "/dev/zero: unreadable, not a regular file",
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"alpha_vantage:\n  api_key: 'S3CRET\n", "while scanning a quoted scalar"),
        (b"alpha_vantage: {api_key: S3CRET: x}\n", "expected ',' or '}', but got ':'"),
        (b"alpha_vantage:\n  api_key: S3CRET\n\tx: 1", "found character '\\t' that cannot start"),
        (b"alpha_vantage: {api_key: *S3CRET}", "an alias (*) is not taken here"),
        (b"alpha_vantage: {api_key: !S3CRET x}", "a tag (!) is not taken here"),
        (b"alpha_vantage: {api_key: !S3CRET!x y}", "found undefined tag handle ***"),
        (b"alpha_vantage: {api_key: [&S3CRET a, &S3CRET b]}", "found duplicate anchor ***"),
        (b"alpha_vantage: S3CRET", "alpha_vantage: was a str, must be a mapping"),
        (b"alerts: {urls: slack://S3CRET}", "alerts.urls: was a str, must be a list of texts"),
        (b"redis: redis://:S3CRET@h", "redis: was a str, must be a mapping"),
        (b"redis: {url: ['redis://:S3CRET@h']}", "redis.url: was a list, must be text"),
        (b"redis: {url: ':S3CRET@h:6379'}", "redis.url: was 14 characters, must start with"),
        (b"redis: {url: 'http://S3CRET@h:1'}", "redis.url: was 'http://***@h:1', must start with"),
        (b"redis: {url: 'redis://:S3CRET@h:x'}", "redis.url: was 'redis://:***@h:x', must have"),
        (
            b"alpha_vantage: {base_url: 'htp://x/?apikey=S3CRET'}",
            "alpha_vantage.base_url: was 'htp://x/?apikey=***', must be text like",
        ),
    ],
)
def test_no_fault_of_a_file_gives_a_secret_away(root: Path, content: bytes, expected: str) -> None:
    (root / INGESTION).write_bytes(content)
    said = sole_refusal(root)
    assert expected in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("ALPHA_VANTAGE_BASE_URL", "htp://u:S3CRET@x", "was 'htp://u:***@x', must be text like"),
        ("ALPHA_VANTAGE_BASE_URL", "https://[x", "was at no host, must be on this machine"),
        ("REDIS_URL", "redis://[::1", "redis.url: was 'redis://[::1', must have a host and a port"),
        ("REDIS_URL", "redis://h:99999", "redis.url: was 'redis://h:99999', must have a host"),
        ("IBKR_HOST", "\udcff", "IBKR_HOST: was '\\udcff', must be printable text"),
        ("IBKR_PORT", "9" * 5_000, "IBKR_PORT: was '99999999"),
        ("IBKR_PORT", "\uff14\uff10\uff10\uff12", "must be an integer from 1 to 65535"),
        ("TICKVISOR_SOURCE", "live\x1b[31m", "was 'live\\x1b[31m', must be printable text"),
        ("TICKVISOR_CONFIG", "\udcff", ": file is missing"),
        ("TICKVISOR_CONFIG", "x" * 5_000, "File name too long"),
        ("TICKVISOR_CONFIG", "config", "unreadable, Is a directory"),
    ],
)
def test_an_unusable_variable_is_named(
    root: Path, variable: str, value: str, expected: str
) -> None:
    said = sole_refusal(root, **{variable: value})
    assert expected in said
    assert SECRET not in said


@pytest.mark.parametrize("name", ["TICKVISOR_CONFIG", "SYMBOL_CONFIG_PATH", "TICKVISOR_HOME"])
def test_a_place_with_a_nul_is_refused(root: Path, name: str) -> None:
    (root / ".env").write_bytes(b"%b=a\x00b\n" % name.encode())
    assert "embedded null byte" in sole_refusal(root)


@pytest.mark.parametrize("line", [SECRET, f"export {SECRET}", f"KEY: {SECRET}"])
def test_a_line_of_the_environment_that_is_no_assignment_is_not_shown(
    root: Path, line: str
) -> None:
    (root / ".env").write_text(f"{line}\n")
    said = sole_refusal(root)
    assert said == f".env line 1: was {len(line)} characters without =, must be NAME=VALUE"


def test_an_environment_file_that_is_no_file_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / ".env")
    assert sole_refusal(root) == ".env: unreadable, not a regular file"


@pytest.mark.parametrize(
    "content",
    [
        b"{}", b"[", b"[" * 50_000, b"\xff", b"[1]", b'{"host": "h", "port": "1e5"}',
        b'{"host": "h", "port": 1e400}', b'{"host": "h", "port": %b}' % (b"9" * 5_000),
    ],
)  # fmt: skip
def test_an_address_that_was_left_damaged_is_named(root: Path, content: bytes) -> None:
    (root / "var/run/tws.json").write_bytes(content)
    assert sole_refusal(root).startswith("var/run/tws.json: must hold host and port, ")


def test_an_address_that_is_no_file_is_named(root: Path) -> None:
    (root / "var/run/tws.json").mkdir()
    assert "IsADirectoryError" in sole_refusal(root)
    (root / "var/run/tws.json").rmdir()
    (root / "var/run/redis.url").write_bytes(b"\xff")
    assert sole_refusal(root).startswith("var/run/redis.url: unreadable, ")


@pytest.mark.parametrize("prefix", ["a b", "{a}", "*", "ä"])
def test_a_prefix_that_is_unfit_for_a_key_is_refused(root: Path, prefix: str) -> None:
    (root / INGESTION).write_text(yaml.safe_dump({"redis": {"key_prefix": prefix}}))
    assert "redis.key_prefix: was" in sole_refusal(root)


def test_thousands_of_unknown_keys_are_one_fault(root: Path) -> None:
    (root / INGESTION).write_text("ibkr:\n" + "".join(f"  k{n}: 1\n" for n in range(20_000)))
    assert sole_refusal(root) == "ibkr: has 20000 keys, must be at most 100"
