"""The section ``probes``: what it says, each mistake with its line, and no secret in the file."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import jsonschema
import pytest

from govern.errors import ConfigurationError
from govern.source.manifest import load_manifest, parse_manifest
from govern.source.manifest.json_schema import render_json_schema
from tests.unit.source.test_manifest_schema import as_json

SAMPLE = Path(__file__).parents[3] / "examples/probed/schema/governance.yaml"
FRAME = """\
probes:
  variables: {email: probe@example.org}
  secrets: {password: {env: PROBE_PASSWORD}}
  sequences:
    - name: accounts
      steps:
"""


def problems(text: str) -> list[str]:
    """``line: message`` of each."""
    with pytest.raises(ConfigurationError) as refused:
        parse_manifest(text, Path("g.yaml"))
    lines = (refused.value.why or refused.value.what).split("\n")
    places = [line.strip().removeprefix("g.yaml:").split(":", 2) for line in lines]
    return [f"{line}:{message}" for line, _, message in places]


def steps(text: str) -> str:
    return FRAME + "".join(f"        {line}\n" for line in dedent(text).splitlines())


def test_the_sample_is_read_with_its_lines_and_fits_the_published_schema() -> None:
    probes = load_manifest(SAMPLE).probes
    assert [sequence.name for sequence in probes.sequences] == ["accounts", "sessions"]
    assert probes.after == ("migrate", "restore")
    first = probes.sequences[0].steps[0]
    assert SAMPLE.read_text().splitlines()[first.line - 1].strip() == "- anonymous: [/me, /sessions]"
    jsonschema.validate(as_json(SAMPLE.read_text()), render_json_schema())


def test_without_probes_nothing_is_asked() -> None:
    assert parse_manifest("probes:\n", Path("g.yaml")).probes.sequences == ()


LOG_IN = '- log_in: {path: /login, json: {email: "{{email}}", password: "{{password}}"}}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            steps('- request: {path: "/{{emial}}"}'),
            "7: probes.sequences[0].steps[0].request.path names 'emial', which nothing before it defines; "
            "did you mean 'email'?",
        ),
        (
            steps('- request: {path: /, json: {deep: [{a: "{{ later }}"}]}}\n- request: {path: /}'),
            "7: probes.sequences[0].steps[0].request.json.deep[0].a names 'later', which nothing before it "
            "defines; known here: email, password",
        ),
        (
            steps('- request: {path: "/{{Email}}"}'),
            "7: probes.sequences[0].steps[0].request.path has braces that are no reference: it is written as {{name}}",
        ),
        (steps("- request: {path: /, expct: {}}"), "7: unknown key 'expct'; did you mean 'expect'?"),
        (
            steps("- request: {path: /, capture: {id: {jsn: a}}}"),
            "7: unknown key 'jsn'; did you mean 'json'?",
        ),
        (
            steps("- request: {path: /, capture: {id: {json: a, header: b}}}"),
            "7: probes.sequences[0].steps[0].request.capture.id must name one of json, header, cookie",
        ),
        (
            steps("- {}"),
            "7: probes.sequences[0].steps[0] must be one of request, anonymous, log_in, protected, token, "
            "refresh, reject, sessions, python",
        ),
        (
            steps("- request: {method: POST, path: /, attempts: 3}"),
            "7: probes.sequences[0].steps[0].request is tried more than once only where it says safe: true",
        ),
        (
            steps("- reject: {page: /me}"),
            "7: probes.sequences[0].steps[0].reject needs a token: a log_in before it, or a capture named access_token",
        ),
        (
            steps(f"{LOG_IN}\n- reject: {{page: /me, tokens: [expired]}}"),
            "8: probes.sequences[0].steps[1].reject needs a signing_key to make an expired token",
        ),
        (
            steps(f"{LOG_IN}\n- reject: {{page: /me, signing_key: hunter2}}"),
            "8: probes.sequences[0].steps[1].reject.signing_key must be one name of probes.secrets, "
            "written as '{{signing_key}}'",
        ),
        (
            steps("- log_in: {path: /login}"),
            "7: probes.sequences[0].steps[0].log_in must have one of json, form, oauth2",
        ),
        (steps(LOG_IN) + LOG_IN[:0] + "    - name: accounts\n      steps: [{anonymous: [/]}]\n",
         "8: 'accounts' is already in probes.sequences on line 5"),
        ("probes: {secrets: {a: {}}}", "1: probes.secrets.a must name either env or a command"),
        ("probes: {secrets: {a: {env: A}}, variables: {a: b}}", "1: probes has 'a' in variables and in secrets"),
        ("probes: {after: [migrate]}", "1: probes must have sequences to run after anything"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text: str, expected: str) -> None:
    assert problems(text) == [expected]


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ("- log_in: {path: /l, json: {user: ada, password: hunter2}}", "log_in.json.password"),
        ("- log_in: {path: /l, form: {pwd: hunter2}}", "log_in.form.pwd"),
        ("- log_in: {path: /l, oauth2: {username: a, password: hunter2}}", "log_in.oauth2.password"),
        ("- request: {path: /, headers: {Authorization: Bearer hunter2}}", "request.headers.Authorization"),
        ("- request: {path: /, headers: {X-Api-Key: hunter2}}", "request.headers.X-Api-Key"),
        ("- request: {path: /, json: {deep: {client_secret: hunter2}}}", "request.json.deep.client_secret"),
        ("- request: {path: '/?token=hunter2'}", "request.path.token"),
        ("- request: {path: /, form: {password: '{{email}}'}}", "request.form.password"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(step: str, place: str) -> None:
    (problem,) = problems(steps(step))
    assert problem.startswith(f"7: probes.sequences[0].steps[0].{place} is a secret in the file")
    assert "{env: PROBE_PASSWORD}" in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    "step",
    [
        LOG_IN,
        "- request: {path: /, json: {token_type: bearer, passport: no}, headers: {accept: '*/*'}}",
        '- request: {path: "/?q=token", form: {password: "{{ password }}"}}',
        "- request: {path: /, expect: {json: {access_token: x}, schema: {pattern: '^{{a}}$'}}}",
    ],
)
def test_what_is_no_secret_is_none(step: str) -> None:
    parse_manifest(steps(step), Path("g.yaml"))


@pytest.mark.parametrize("url", ["ftp://host", "http://me:pw@host", "http://host?q", "host", "http://"])
def test_a_base_url_is_one(url: str) -> None:
    (problem,) = problems(f"probes: {{base_url: '{url}'}}")
    assert "probes.base_url" in problem


@pytest.mark.parametrize("path", ["me", "//elsewhere.example/", "http://elsewhere.example", "/a b", "/a#b"])
def test_a_path_stays_below_the_base_url(path: str) -> None:
    (problem,) = problems(steps(f"- anonymous: ['{path}']"))
    assert "steps[0].anonymous[0] string should match" in problem
