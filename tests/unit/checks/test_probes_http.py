"""Servers that do what no server should: whatever comes back, a probe ends in time and says what it was."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from textwrap import dedent, indent

import pytest

from govern import config
from govern.api.probing import probe as probe_application
from govern.api.probing import run_probes
from govern.checks.probes import Proof
from govern.core.finding import Finding, Severity
from govern.errors import ConfigurationError
from govern.source.manifest import parse_manifest

Answering = Callable[[socket.socket, bytes], None]
"""Gets the connection and what was asked."""


class Server:
    """Answers each connection by ``answer``, on a real socket; keeps what it was asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[bytes] = []
        self.answer: Answering = lambda connection, _: connection.sendall(reply())
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def drip(self, connection: socket.socket, _: bytes) -> None:
        """A byte at a time, for ever: no single read takes long."""
        connection.sendall(b"HTTP/1.1 200 OK\r\nx-drip: ")
        while not self._is_over.wait(0.02):
            connection.sendall(b"a")

    def close(self) -> None:
        self._is_over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(5)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                if asked := _read_request(connection):
                    self.asked.append(asked)
                    self.answer(connection, asked)


def _read_request(connection: socket.socket) -> bytes:
    """Up to the end of its body; empty where nothing came."""
    asked = b""
    while more := connection.recv(65_536):
        asked += more
        head, end, body = asked.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        is_http = asked[:1].isalpha()
        if not is_http or (end and len(body) >= int(length[1] if length else 0)):
            break
    return asked


def reply(status: str = "200 OK", body: str = "{}", *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers)
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def replying(*replies: bytes) -> Answering:
    """One after the other, the last one for ever."""
    left = list(replies)
    return lambda connection, _: connection.sendall(left.pop(0) if len(left) > 1 else left[0])


HEAD = b"HTTP/1.1 200 OK\r\n"


def packed(body: bytes, how: str = "gzip") -> bytes:
    """An answer whose body is said to be packed, though nobody asked for that."""
    return HEAD + f"content-encoding: {how}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def probe(url: str, steps: str, *, more: str = "", root: Path = Path("/tmp")) -> Proof:
    text = f"probes:\n  wait_seconds: 0\n  timeout_seconds: 20\n{indent(dedent(more), '  ')}"
    text += f"  sequences:\n    - name: it\n      steps:\n{indent(dedent(steps), '        ')}"
    manifest = parse_manifest(text, root / "governance.yaml")
    settings = config.load(start=root, url="sqlite:///app.db", environ={})
    (proof,) = run_probes(settings, manifest.probes, path="governance.yaml", base_url=url)
    return proof


def only(proof: Proof) -> Finding:
    (finding,) = proof.entry.findings
    return finding


ASK = "- request: {path: /}\n"


def test_what_is_as_expected_is_no_finding(server: Server) -> None:
    proof = probe(server.url, ASK)
    assert (proof.entry.status, proof.entry.findings) == ("passed", ())
    assert proof.exchanges[0]["status"] == 200


@pytest.mark.parametrize(
    ("answer", "rule", "said"),
    [
        (replying(b"SSH-2.0-OpenSSH_9.9\r\n"), "probe.broken-answer", "broken"),
        (replying(b"\x00\xff" * 500), "probe.broken-answer", "broken"),
        (replying(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort"), "probe.broken-answer", "broken"),
        (replying(reply("302 Found", "", "location: http://[")), "probe.redirected-away", "not followed"),
        (replying(reply("302 Found", "", "location: http://127.0.0.1:1/")), "probe.redirected-away", ":1,"),
        (replying(reply("302 Found", "", "location: //localhost/x")), "probe.redirected-away", "localhost"),
        (replying(reply("302 Found", "", "location: ftp://127.0.0.1/")), "probe.redirected-away", "ftp://"),
        (replying(reply("302 Found", "", "location: /")), "probe.redirected-away", "more than 5 times"),
        (replying(reply("500 Oh")), "probe.unexpected-status", "answered 500"),
        (replying(b"HTTP/1.1 200 OK\r\ncontent-ty"), "probe.broken-answer", "disconnected"),
        (
            replying(HEAD + b"transfer-encoding: chunked\r\n\r\n10\r\nabc"),
            "probe.broken-answer",
            "incomplete",
        ),
        (
            replying(HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab"),
            "probe.broken-answer",
            "conflicting",
        ),
        (replying(HEAD + b"\r\n" + b"x" * 5_000_001), "probe.endless-body", "longer than 5 MB"),
        (replying(HEAD + b"x-more: a\r\n" * 20_000), "probe.broken-answer", "too long"),
        (replying(packed(gzip.compress(bytes(9_000_000)))), "probe.endless-body", "longer than 5 MB"),
        (replying(packed(gzip.compress(b"{}" * 99)[:-9])), "probe.broken-answer", "before it is whole"),
        (replying(packed(b"{}")), "probe.broken-answer", "cannot be unpacked"),
        (replying(packed(b"{}", "br")), "probe.broken-answer", "packed as 'br'"),
    ],
)
def test_what_is_no_answer_is_told_for_what_it_is(
    server: Server, answer: Answering, rule: str, said: str
) -> None:
    server.answer = answer
    finding = only(probe(server.url, ASK))
    assert (finding.rule.id, said in finding.message) == (rule, True), finding.message


def test_a_slow_drip_is_ended_by_the_deadline_of_the_whole_answer(server: Server) -> None:
    server.answer = server.drip
    started = time.monotonic()
    finding = only(probe(server.url, "- request: {path: /, timeout_seconds: 0.5}\n"))
    assert (finding.rule.id, "within 0.5 s" in finding.message) == ("probe.slow", True)
    assert time.monotonic() - started < 10


def test_nobody_there_is_unreachable_and_ends_the_sequence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    proof = probe(url, ASK * 3)
    assert only(proof).rule.id == "probe.unreachable"
    assert "Connection refused" in only(proof).message
    assert "2 steps after it not asked" in proof.entry.reason


def test_a_certificate_is_trusted_only_where_somebody_says_so(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ("-subj", "/CN=probed", "-addext", "subjectAltName=IP:127.0.0.1")
    made = (
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        *subject,
    )
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Server(context)
    try:
        finding = only(probe(server.url, ASK))
        assert finding.rule.id == "probe.tls"
        assert "not trusted: self" in finding.message
        assert not probe(server.url, ASK, more=f"ca_file: {certificate}\n").entry.findings
        plain = only(probe(server.url.replace("https", "http"), ASK))
        assert plain.rule.id in ("probe.broken-answer", "probe.unreachable")
    finally:
        server.close()


def test_tls_where_there_is_none_is_named(server: Server) -> None:
    finding = only(probe(server.url.replace("http:", "https:"), ASK))
    assert (finding.rule.id, "no TLS connection" in finding.message) == ("probe.tls", True)


def test_the_proxy_of_the_environment_is_not_used_unless_asked_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", "")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert only(probe(nobody, ASK)).rule.id == "probe.unreachable"
    assert not server.asked
    assert not probe(nobody, ASK, more="use_proxy: true\n").entry.findings
    assert server.asked[0].startswith(f"GET {nobody}/ ".encode())


def test_a_redirection_to_the_same_place_is_followed_unless_one_is_expected(server: Server) -> None:
    server.answer = replying(reply("302 Found", "", "location: /there"), reply())
    assert not probe(server.url, ASK).entry.findings
    assert server.asked[1].startswith(b"GET /there ")
    server.answer = replying(reply("302 Found", "", "location: https://elsewhere.example/"))
    step = "- request: {path: /, expect: {status: 302, headers: {location: https://*}}}\n"
    assert not probe(server.url, step).entry.findings


def test_only_what_is_safe_to_repeat_is_repeated(server: Server) -> None:
    server.answer = replying(reply("503 Soon"), reply("503 Soon"), reply())
    assert not probe(server.url, "- request: {path: /, safe: true, attempts: 3}\n").entry.findings
    assert len(server.asked) == 3
    server.answer = replying(reply("503 Soon"), reply())
    assert (
        only(probe(server.url, "- request: {method: POST, path: /}\n")).rule.id == "probe.unexpected-status"
    )
    assert len(server.asked) == 4


def test_cookies_headers_and_values_are_captured_and_sent_on(server: Server) -> None:
    body = json.dumps({"items": [{"id": "a/b ?"}], "count": 3})
    server.answer = replying(reply("200 OK", body, "set-cookie: session=s3ss10n-s3cr3t", "x-trace: t-1"))
    proof = probe(
        server.url,
        """\
        - request:
            path: /
            capture: {id: {json: "items[0].id"}, trace: {header: X-Trace}, session: {cookie: session}, n: {json: count}}
        - request:
            method: POST
            path: /items/{{id}}
            query: {q: "{{id}}"}
            headers: {x-trace: "{{trace}}"}
            json: {name: "{{session}}", "n": "{{n}}"}
        """,
    )
    assert not proof.entry.findings
    sent = server.asked[1].decode()
    assert sent.startswith("POST /items/a%2Fb%20%3F?q=a%2Fb+%3F HTTP/1.1\r\n"), sent
    assert "x-trace: t-1\r\n" in sent.lower()
    assert "cookie: session=s3ss10n-s3cr3t" in sent.lower()
    assert '"n":"3"' in sent
    assert "s3ss10n-s3cr3t" not in json.dumps(proof.exchanges)


def test_what_was_not_captured_ends_the_sequence_and_is_told(server: Server) -> None:
    proof = probe(
        server.url,
        "- request: {path: /, capture: {id: {json: id}}}\n" + '- request: {path: "/{{id}}"}\n' + ASK,
    )
    assert only(proof).rule.id == "probe.unexpected-value"
    assert proof.entry.reason.startswith("id was not captured: 1 step after it not asked")
    server.answer = replying(reply("404 No"))
    steps = "- request: {path: /, capture: {id: {json: id}}}\n" + '- request: {path: "/{{id}}"}\n'
    assert only(probe(server.url, steps)).rule.id == "probe.unexpected-status"


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("json: {a: 1}", "a of GET / is 2, expected 1"),
        ("json: {b: 1}", "has no b"),
        ("json: {c: 1}", "c of GET / is true, expected 1"),
        ("json: {d: {e: [1]}}", 'd of GET / is {"e": [1, 2]}'),
        (
            "schema: {properties: {a: {type: string}}}",
            "$.a of GET / does not fit the schema: 2 is not of type",
        ),
        ("headers: {x-powered-by: none}", "x-powered-by of GET / is not there"),
        ("headers: {Content-Length: '1'}", "Content-Length of GET / is '46'"),
        ("status: [201, 204]", "answered 200, expected 201 or 204"),
    ],
)
def test_what_is_otherwise_than_expected_is_told(server: Server, expect: str, said: str) -> None:
    server.answer = replying(reply("200 OK", json.dumps({"a": 2, "c": True, "d": {"e": [1, 2]}}).ljust(46)))
    finding = only(probe(server.url, f"- request: {{path: /, expect: {{{expect}}}}}\n"))
    assert said in finding.message, finding.message
    good = "{json: {a: 2.0, c: true, d: {e: [1, 2]}, $: {a: 2, c: true, d: {e: [1, 2]}}}, status: [201, 200]}"
    assert not probe(server.url, f"- request: {{path: /, expect: {good}}}\n").entry.findings


def test_a_body_that_was_packed_all_the_same_is_read(server: Server) -> None:
    server.answer = replying(packed(gzip.compress(b'{"a": 1}')))
    assert not probe(server.url, "- request: {path: /, expect: {json: {a: 1}}}\n").entry.findings


@pytest.mark.parametrize("body", ["", "<html>", "[" * 100_000, "\ud83d", '{"a": NaN}'])
def test_a_body_that_is_no_json_is_told(server: Server, body: str) -> None:
    data = body.encode("utf-8", "surrogatepass")
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(data)}\r\nconnection: close\r\n\r\n".encode()
    server.answer = replying(head + data)
    finding = only(probe(server.url, "- request: {path: /, expect: {json: {a: 1}}}\n"))
    assert "answered no JSON" in finding.message


def test_a_stranger_may_be_sent_to_the_log_in_page_where_there_is_one(server: Server) -> None:
    server.answer = replying(reply("302 Found", "", "location: /login?next=%2F"))
    step = "- anonymous: [/]\n"
    assert only(probe(server.url, step)).rule.id == "probe.open-page"
    assert not probe(server.url, step, more="log_in_page: /login\n").entry.findings
    server.answer = replying(reply("302 Found", "", "location: /welcome"))
    assert only(probe(server.url, step, more="log_in_page: /login\n")).rule.id == "probe.open-page"


LOG_IN = """\
- log_in:
    path: /login
    {body}
- protected: [/me]
"""
SECRETS = "secrets: {password: {command: [echo, one & two]}}\n"


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ('json: {name: ada, password: "{{password}}"}', '{"name":"ada","password":"one & two"}'),
        ('form: {name: ada, password: "{{password}}"}', "name=ada&password=one+%26+two"),
        (
            'oauth2: {username: ada, password: "{{password}}", scope: all}',
            "grant_type=password&username=ada&password=one+%26+two&scope=all",
        ),
    ],
)
def test_there_are_three_ways_to_log_in(server: Server, body: str, sent: str) -> None:
    server.answer = replying(reply("200 OK", '{"access_token": "t0k3n"}'))
    proof = probe(server.url, LOG_IN.replace("{body}", body), more=SECRETS)
    assert not proof.entry.findings, proof.entry
    assert server.asked[0].decode().endswith(f"\r\n\r\n{sent}")
    assert b"authorization: bearer t0k3n" in server.asked[1].lower()
    told = json.dumps(proof.exchanges)
    assert "one" not in told
    assert "t0k3n" not in told


def test_a_session_may_be_a_cookie(server: Server) -> None:
    body = 'form: {password: "{{password}}"}\n    cookie: sid'
    server.answer = replying(
        reply("303 See", "", "location: /home", "set-cookie: sid=abcdefgh; Path=/; HttpOnly"), reply()
    )
    assert not probe(server.url, LOG_IN.replace("{body}", body), more=SECRETS).entry.findings
    assert b"cookie: sid=abcdefgh" in server.asked[2].lower()
    server.answer = replying(reply())
    failed = probe(server.url, LOG_IN.replace("{body}", body), more=SECRETS)
    assert "set no cookie sid" in only(failed).message
    assert "nobody is logged in" in failed.entry.reason


PYTHON = """\
import os, sys, time
def good(asked):
    assert asked.base_url.startswith("http://")
    assert asked.values["who"] == "ada"
    assert asked.database_url.endswith("app.db")
    print("noise"); sys.stderr.write("noise")
def bad(asked): assert 1 + 1 == 3, f"two is not three: {asked.values['password']}"
def crash(asked): raise RuntimeError("no table")
def leave(asked): sys.exit(0)
def vanish(asked): os._exit(0)
def hang(asked): os.fork(); time.sleep(600)
"""


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        ("own:good", "passed", ""),
        ("by-name", "passed", ""),
        ("own:bad", "found", "two is not three: ***"),
        ("own:crash", "crashed", "RuntimeError: no table"),
        ("own:leave", "crashed", "SystemExit"),
        ("own:vanish", "crashed", "said nothing"),
        ("own:hang", "crashed", "longer than 0.5 s"),
        ("own:missing", "crashed", "AttributeError"),
        ("no-such-entry-point", "crashed", "there is no entry point 'no-such-entry-point'"),
    ],
)
def test_a_function_of_the_project_passes_only_if_it_returns(
    tmp_path: Path, server: Server, call: str, status: str, said: str
) -> None:
    (tmp_path / "own.py").write_text(PYTHON)
    installed = tmp_path / "own-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[govern.probes]\nby-name = own:good\n")
    seconds = 0.5 if "hang" in call else 60
    step = f"- python: {{call: '{call}', timeout_seconds: {seconds}}}\n"
    more = f"variables: {{who: ada}}\n{SECRETS}"
    entry = probe(server.url, step, more=more, root=tmp_path).entry
    assert entry.status == status, entry
    assert said in "".join([entry.reason, *(finding.message for finding in entry.findings)])


def test_it_waits_for_an_application_that_starts(server: Server) -> None:
    server.answer = replying(reply("503 Starting"), reply("503 Starting"), reply())
    proof = probe(server.url, ASK, more="ready: /up\n")
    assert only(proof).rule.id == "probe.unexpected-status"
    server.answer = replying(reply("503 Starting"), reply())
    text = f"probes:\n  base_url: {server.url}\n  wait_seconds: 30\n"
    text += "  sequences: [{name: a, steps: [{request: {path: /}}]}]\n"
    probes = parse_manifest(text, Path("g.yaml")).probes
    (waited,) = run_probes(config.load(start=Path("/tmp"), environ={}), probes, path="g.yaml")
    assert waited.entry.status == "passed"


def test_a_sequence_that_only_warns_fails_nothing(server: Server) -> None:
    server.answer = replying(reply("500 Oh"))
    text = "probes:\n  wait_seconds: 0\n  sequences: [{name: a, severity: warning, steps: [{request: {path: /}}]}]\n"
    probes = parse_manifest(text, Path("g.yaml")).probes
    (proof,) = run_probes(
        config.load(start=Path("/tmp"), environ={}), probes, path="g.yaml", base_url=server.url
    )
    assert only(proof).severity is Severity.WARNING


def test_what_there_is_not_is_named(tmp_path: Path) -> None:
    settings = config.load(start=tmp_path, environ={})
    with pytest.raises(ConfigurationError, match="there are no probes"):
        probe_application(settings)
    file = tmp_path / "p.yaml"
    file.write_text("probes: {base_url: 'http://127.0.0.1:1', sequences: []}\n")
    with pytest.raises(ConfigurationError, match=r"there are no probes in p\.yaml"):
        probe_application(settings, file=file)
    file.write_text("probes: {sequences: [{name: accounts, steps: [{anonymous: [/]}]}]}\n")
    with pytest.raises(ConfigurationError, match="there is no probe 'acounts'") as refused:
        probe_application(settings, ("acounts",), file=file)
    assert refused.value.next == "did you mean accounts?"
    with pytest.raises(ConfigurationError, match="nobody says where the application is"):
        probe_application(settings, file=file)


@pytest.mark.parametrize(
    ("more", "url", "said"),
    [
        ("secrets: {a: {env: NO_SUCH}}\n", "http://127.0.0.1:1", "NO_SUCH is not set"),
        ("secrets: {a: {command: [no-such-program]}}\n", "http://127.0.0.1:1", "No such file"),
        ("secrets: {a: {command: ['false']}}\n", "http://127.0.0.1:1", "it ended with 1"),
        ("secrets: {a: {command: ['true']}}\n", "http://127.0.0.1:1", "it printed nothing"),
        ("ca_file: no-such.pem\n", "http://127.0.0.1:1", "no-such.pem cannot be read"),
        ("", "http://me:s3cr3t@127.0.0.1", "the base URL of probes is none: 127.0.0.1"),
        ("", "file:///etc/passwd", "is none: file:///etc/passwd"),
        ("", "http://127.0.0.1:99999", "is none: http://127.0.0.1:99999"),
    ],
)
def test_what_is_needed_is_there_before_anything_is_asked(more: str, url: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        probe(url, ASK, more=more)
    assert said in str(refused.value)
    assert "s3cr3t" not in str(refused.value)
