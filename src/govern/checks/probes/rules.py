"""What may be wrong with a running application."""

from __future__ import annotations

from govern.core.finding import Rule, Severity

UNREACHABLE = Rule(
    id="probe.unreachable",
    name="the application does not answer",
    severity=Severity.CRITICAL,
    condition="no connection to the base URL comes about, or it is closed before there is an answer",
    effect="nobody can use the application",
    remedy="see whether it runs, and where: its log, then base_url under probes of the manifest, or --base-url",
)
TLS = Rule(
    id="probe.tls",
    name="the TLS connection cannot be made or trusted",
    severity=Severity.CRITICAL,
    condition="the handshake fails, or the certificate is not one that this machine, or ca_file, trusts for this name",
    effect="browsers and clients refuse to talk to the application",
    remedy="renew or correct the certificate; one of a private authority is trusted by probes.ca_file",
)
BROKEN_ANSWER = Rule(
    id="probe.broken-answer",
    name="an answer is no HTTP",
    severity=Severity.ERROR,
    condition="what comes back is no HTTP response, or ends before it is whole",
    effect="clients see a broken connection",
    remedy="see that base_url names the application and not another service; look at its log and at the proxy's",
)
SLOW = Rule(
    id="probe.slow",
    name="an answer takes too long",
    severity=Severity.ERROR,
    condition="a whole answer is not there within timeout_seconds, or later than within_seconds",
    effect="people wait, and clients give up",
    remedy="see what the request waits for: locks (govern doctor --locks), a missing index (govern drift), its log",
)
ENDLESS_BODY = Rule(
    id="probe.endless-body",
    name="an answer does not end",
    severity=Severity.ERROR,
    condition="a body is larger than 5 MB: it was read no further",
    effect="clients fill their memory, or wait for ever",
    remedy="let the page have an end; probe another one where it is meant to be so large",
)
REDIRECTED_AWAY = Rule(
    id="probe.redirected-away",
    name="a redirection leads to another host",
    severity=Severity.ERROR,
    condition="an answer redirects to another host or port, or from https to http: it was not followed",
    effect="whoever follows takes tokens and passwords along",
    remedy="correct the redirection; where it is meant, expect its status: expect: {status: 302}",
)
UNEXPECTED_STATUS = Rule(
    id="probe.unexpected-status",
    name="another status than expected",
    severity=Severity.ERROR,
    condition="the status of an answer is none of those that the step expects",
    effect="a page or an endpoint does not do what it is there for",
    remedy="look at the application's log at that moment, and at the answer in the report",
)
UNEXPECTED_VALUE = Rule(
    id="probe.unexpected-value",
    name="another value than expected",
    severity=Severity.ERROR,
    condition="a value of the body or a header is missing or not as expected, or the body does not fit its schema",
    effect="clients that rely on it fail",
    remedy="see what the application reads there, and whether the table behind it is as declared: govern drift",
)
OPEN_PAGE = Rule(
    id="probe.open-page",
    name="a protected page is open",
    severity=Severity.CRITICAL,
    condition="a page answers somebody who is not logged in with anything but 401, 403 or the declared log-in page",
    effect="anybody can read what is behind it",
    remedy="take the application out of use until the page asks who is there",
)
TOKEN_ACCEPTED = Rule(
    id="probe.token-accepted",
    name="a token is accepted that must not be",
    severity=Severity.CRITICAL,
    condition="a token that was changed, is signed with another key or not at all, has ended or was replaced is let in",
    effect="anybody can be anybody, or a stolen token works for ever",
    remedy="see how tokens are verified: the list of algorithms, the key, the end; and what revokes them",
)
TOKEN_UNCHANGED = Rule(
    id="probe.token-unchanged",
    name="a refresh gives the same token",
    severity=Severity.ERROR,
    condition="the token that a refresh gives is the one there was before",
    effect="people are logged out when it ends, however often it is refreshed",
    remedy="make a new token, with another end and identity, for each refresh",
)
WRONG_CLAIM = Rule(
    id="probe.wrong-claim",
    name="a token does not say what it must",
    severity=Severity.ERROR,
    condition="the token is no JWT, or its algorithm, key, end, issuer, subject or another claim is not as declared",
    effect="other services refuse it, or believe it for too long",
    remedy="see the configuration that the application signs with: key, algorithm, issuer, lifetime",
)
SESSION_ALIVE = Rule(
    id="probe.session-alive",
    name="a revoked session still works",
    severity=Severity.CRITICAL,
    condition="the token of a session that was revoked is let in",
    effect="who has stolen it stays in",
    remedy="let each request see whether its session is still there",
)
SESSION_MISSING = Rule(
    id="probe.session-missing",
    name="a session is not listed",
    severity=Severity.ERROR,
    condition="the list of sessions lacks the one that asks for it",
    effect="people cannot see, nor end, who is logged in as them",
    remedy="see whether log-ins are written into the table of sessions, and read from the same database",
)
FAILED = Rule(
    id="probe.failed",
    name="a Python probe says no",
    severity=Severity.ERROR,
    condition="the function of a python step raises AssertionError",
    effect="what the project declared to be always true of the running application is not",
    remedy="see the message, and the function that the step names",
)
RULES = (
    UNREACHABLE,
    TLS,
    BROKEN_ANSWER,
    SLOW,
    ENDLESS_BODY,
    REDIRECTED_AWAY,
    UNEXPECTED_STATUS,
    UNEXPECTED_VALUE,
    OPEN_PAGE,
    TOKEN_ACCEPTED,
    TOKEN_UNCHANGED,
    WRONG_CLAIM,
    SESSION_ALIVE,
    SESSION_MISSING,
    FAILED,
)
