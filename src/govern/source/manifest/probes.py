"""What the keys of ``probes`` mean: sequences of steps that ask the running application whether it works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from govern.core.json_path import JSON_PATH
from govern.core.template import NAME, find_names
from govern.source.manifest.values import Entry, SeverityLabel, Span, Text

Method = Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
Forgery = Literal["changed_signature", "changed_payload", "no_algorithm", "wrong_key", "expired"]
Occasion = Literal["migrate", "downgrade", "restore"]
Handling = Literal["rejected", "accepted"]
StepKind = Literal[
    "request", "anonymous", "log_in", "protected", "token", "refresh", "reject", "sessions", "python"
]
STEP_KINDS: tuple[StepKind, ...] = StepKind.__args__  # type: ignore[attr-defined]


def _to_statuses(value: object) -> object:
    return (value,) if isinstance(value, int) else value


def _check_not_empty(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """After the items themselves, unlike ``min_length``: one that is wrong is not counted as none."""
    if not items:
        message = "must have at least one"
        raise ValueError(message)
    return items


def _check_reference(text: str) -> str:
    names = list(find_names(text))
    if len(names) != 1 or text.replace(" ", "") != f"{{{{{names[0]}}}}}":
        message = "must be one name of probes.secrets, written as '{{signing_key}}'"
        raise ValueError(message)
    return text


PagePath = Annotated[str, Field(pattern=r"^/([^\s#/][^\s#]*)?$")]
"""Below the base URL; what comes of ``{{name}}`` is quoted."""
JsonPath = Annotated[str, Field(pattern=JSON_PATH)]
Name = Annotated[str, Field(pattern=rf"^{NAME}$")]
Status = Annotated[int, Field(ge=100, le=599)]
Statuses = Annotated[
    tuple[Status, ...],
    BeforeValidator(_to_statuses),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}),
]
Seconds = Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)]
Reference = Annotated[Text, AfterValidator(_check_reference)]


class Secret(Entry):
    """Where a secret comes from; it is never in the file."""

    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable that has it."""
    command: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """A program and its arguments, started without a shell in the project's root: its first line is the secret."""

    @model_validator(mode="after")
    def _names_one(self) -> Secret:
        if (self.env is None) == (self.command is None):
            message = "must name either env or a command"
            raise ValueError(message)
        return self


class Expectation(Entry):
    """What an answer must be."""

    status: Statuses = ()
    """Any of these; without it any of 200 to 299. A redirection is followed unless one is expected."""
    json_values: Mapping[JsonPath, Any] = Field(default_factory=dict, alias="json")
    """Values by their place: ``{status: active, "items[0].id": 7}``."""
    json_schema: Mapping[str, Any] | None = Field(default=None, alias="schema")
    """A JSON Schema (draft 2020-12) that the body has to fit."""
    headers: Mapping[Text, Text] = Field(default_factory=dict)
    """By name, each a glob: ``{content-type: application/json*}``."""
    within_seconds: Seconds | None = None
    """How long the answer may take; slower is a finding."""


class Capture(Entry):
    """Where in an answer a value is that later steps write as ``{{name}}``."""

    json_path: JsonPath | None = Field(default=None, alias="json")
    """A place in the body: ``items[0].id``."""
    header: Text | None = None
    """A header's name."""
    cookie: Text | None = None
    """A cookie's name."""

    @model_validator(mode="after")
    def _names_one(self) -> Capture:
        if sum(one is not None for one in (self.json_path, self.header, self.cookie)) != 1:
            message = "must name one of json, header, cookie"
            raise ValueError(message)
        return self


class _WithBody(Entry):
    json_body: Any = Field(default=None, alias="json")
    """The body, sent as JSON."""
    form: Mapping[Text, Text] | None = None
    """The body, sent as a form."""

    @model_validator(mode="after")
    def _has_one_body(self) -> _WithBody:
        if self.json_body is not None and self.form is not None:
            message = "must have either json or a form"
            raise ValueError(message)
        return self


class Request(_WithBody):
    """One request, and what its answer must be."""

    method: Method = "GET"
    """How it is asked."""
    path: PagePath
    """Below the base URL; what comes of ``{{name}}`` is quoted."""
    headers: Mapping[Text, Text] = Field(default_factory=dict)
    """Sent along, by name."""
    query: Mapping[Text, Text] = Field(default_factory=dict)
    """Added to the path, by name."""
    expect: Expectation = Expectation()
    capture: Mapping[Name, Capture] = Field(default_factory=dict)
    """Values that later steps write as ``{{name}}``."""
    timeout_seconds: Seconds | None = None
    """For the whole answer; without it that of ``probes``."""
    safe: bool = False
    """Whether it may be done more than once."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 1
    """How often it is tried, with longer and longer pauses, until the answer is as expected; only where ``safe``."""

    @model_validator(mode="after")
    def _is_safe_to_repeat(self) -> Request:
        if self.attempts > 1 and not self.safe:
            message = "is tried more than once only where it says safe: true"
            raise ValueError(message)
        return self


class PasswordGrant(Entry):
    """OAuth 2 (RFC 6749, 4.3)."""

    username: Text
    """Who logs in."""
    password: Text
    """Theirs; a secret: ``'{{password}}'``."""
    client_id: Text | None = None
    """The client's, where the server wants one."""
    client_secret: Text | None = None
    """The client's, where the server wants one: a secret."""
    scope: Text | None = None
    """What is asked for, words apart by blanks."""


class LogIn(_WithBody):
    """A log-in; what it gives is sent with all later requests of the sequence, but for ``anonymous`` ones."""

    path: PagePath
    """Where to log in."""
    oauth2: PasswordGrant | None = None
    token: JsonPath = "access_token"  # noqa: S105 - a place in the answer
    """Where the answer has the token: ``{{access_token}}`` of later steps."""
    refresh_token: JsonPath | None = None
    """Where it has the one that refreshes it: ``{{refresh_token}}``."""
    cookie: Text | None = None
    """The session's cookie, where there is no token."""
    capture: Mapping[Name, Capture] = Field(default_factory=dict)
    """More values of the answer, for later steps."""

    @model_validator(mode="after")
    def _says_who(self) -> LogIn:
        if sum(one is not None for one in (self.json_body, self.form, self.oauth2)) != 1:
            message = "must have one of json, form, oauth2"
            raise ValueError(message)
        return self


class Token(Entry):
    """What the token that the log-in gave must say."""

    algorithms: Annotated[tuple[Text, ...], Field(min_length=1)]
    """With any of these it may be signed: ``[RS256]``."""
    issuer: Text | None = None
    """Its ``iss``."""
    subject: Text | None = None
    """Its ``sub``."""
    audience: Text | None = None
    """Its ``aud``."""
    lasts_at_most: Span | None = None
    """From now on. It must have an end, in the future."""
    claims: Mapping[Text, Any] = Field(default_factory=dict)
    """More claims with the values they must have."""
    signing_key: Reference | None = None
    """The key it must be signed with."""


class Refresh(_WithBody):
    """A new token for an old one: it must be another one, and work."""

    path: PagePath
    """Where to get a new token."""
    token: JsonPath = "access_token"  # noqa: S105 - a place in the answer
    """Where the answer has it."""
    refresh_token: JsonPath | None = None
    """Where the answer has the next one, if there is one."""
    page: PagePath
    """A protected one."""
    old_token: Handling | None = None
    """What becomes of the token before; without it nobody asks."""
    old_refresh_token: Handling | None = None
    """What becomes of the refresh token before; without it nobody asks."""


class Reject(Entry):
    """Tokens that are made of the good one and must not be accepted: 401 or 403."""

    page: PagePath
    """A protected one."""
    tokens: tuple[Forgery, ...] = ()
    """Which; without it all, ``expired`` only with a signing key."""
    signing_key: Reference | None = None
    """The application's own: nobody else can make a token that has ended."""

    @model_validator(mode="after")
    def _can_be_made(self) -> Reject:
        if "expired" in self.tokens and self.signing_key is None:
            message = "needs a signing_key to make an expired token"
            raise ValueError(message)
        return self


class Revocation(Entry):
    """The request that ends a session."""

    method: Method = "DELETE"
    """How it is asked."""
    path: PagePath
    """Where: ``/sessions/{{session_id}}``."""


class Sessions(Entry):
    """The list of sessions has this one; once it is revoked its token is worth nothing."""

    path: PagePath
    """Where the list is."""
    items: JsonPath = "$"
    """Where in the answer the list is."""
    id: JsonPath = "id"
    """Where in an item of it."""
    mine: Text
    """The id of this one: ``{{session_id}}``."""
    revoke: Revocation
    page: PagePath
    """A protected one."""


class Python(Entry):
    """A function of the project's, in a process of its own."""

    call: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.-]*(:[A-Za-z_]\w*)?$")]
    """``package.module:function``, or the name of an entry point of the group ``govern.probes``."""
    timeout_seconds: Seconds = 30.0
    """How long it may take; then it is ended."""


class Step(Entry):
    """One thing to ask."""

    name: Text | None = None
    """As reports call it; without it its kind and path."""
    request: Request | None = None
    anonymous: Annotated[tuple[PagePath, ...], AfterValidator(_check_not_empty)] | None = None
    """Pages that nobody may see who is not logged in: 401, 403, or a redirection to ``log_in_page``."""
    log_in: LogIn | None = None
    protected: Annotated[tuple[PagePath, ...], AfterValidator(_check_not_empty)] | None = None
    """Pages that answer 200 to whoever is logged in."""
    token: Token | None = None
    refresh: Refresh | None = None
    reject: Reject | None = None
    sessions: Sessions | None = None
    python: Python | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Step:
        if sum(getattr(self, kind) is not None for kind in STEP_KINDS) != 1:
            message = f"must be one of {', '.join(STEP_KINDS)}"
            raise ValueError(message)
        return self

    @property
    def kind(self) -> StepKind:
        return next(kind for kind in STEP_KINDS if getattr(self, kind) is not None)


class Sequence(Entry):
    """Steps that are done in order, with cookies and captured values of their own."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    """As reports and ``govern probe`` call it."""
    severity: SeverityLabel | None = None
    """Of all its findings; without it as their rules say."""
    steps: Annotated[tuple[Step, ...], AfterValidator(_check_not_empty)]


class Probes(Entry):
    """How the running application is asked whether it works, and when."""

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$")] | None = None
    """``GOVERN_PROBE_BASE_URL`` and ``--base-url`` count more."""
    after: tuple[Occasion, ...] = ()
    """Commands after which all of them are run: one that fails makes the database unhealthy."""
    wait_seconds: Annotated[float, Field(ge=0, le=3_600, allow_inf_nan=False)] = 10.0
    """How long the application may take until it answers at all."""
    ready: PagePath = "/"
    """What it is asked until then: any answer below 500 will do."""
    timeout_seconds: Seconds = 10.0
    """How long one answer may take, from the first byte to the last."""
    log_in_page: PagePath | None = None
    """Where whoever is not logged in is sent, if that is what protected pages do."""
    use_proxy: bool = False
    """Whether the proxy that the environment names is used."""
    ca_file: Text | None = None
    """Certificates to trust, in PEM, instead of the machine's; relative to the project's root."""
    variables: Mapping[Name, Text] = Field(default_factory=dict)
    """Values that steps write as ``{{name}}``."""
    secrets: Mapping[Name, Secret] = Field(default_factory=dict)
    """The same for what is secret: where each comes from."""
    sequences: tuple[Sequence, ...] = ()

    @model_validator(mode="after")
    def _has_something_to_run(self) -> Probes:
        if self.after and not self.sequences:
            message = "must have sequences to run after anything"
            raise ValueError(message)
        if twice := self.variables.keys() & self.secrets.keys():
            message = f"has {sorted(twice)[0]!r} in variables and in secrets"
            raise ValueError(message)
        return self
