"""Reads mails with a parser that is not ours (Python's, strictly) and says what is wrong with them.

    python3 tests/mail_check.py FILE...

Prints one line of JSON, a list of sentences; an empty list is good news.
"""

import email
import email.policy
import json
import pathlib
import re
import sys

# RFC 5322, 3.6: what may be there once at most; the first three have to be there.
ONCE = ("From", "Date", "Message-ID", "To", "Reply-To", "Subject", "MIME-Version")
# RFC 5322, 2.1.1: octets, without CRLF.
LINE_MAX = 998


def problems(raw):
    # What the test's own server adds comes first, and ends its lines as it likes.
    raw = re.sub(rb"\A(?:X-(?:MailFrom|RcptTo|Tls|Login):[^\n]*\n)*", b"", raw)
    for number, line in enumerate(raw.split(b"\n"), 1):
        if len(line.rstrip(b"\r")) > LINE_MAX:
            yield f"line {number} has {len(line)} octets"
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
    if any(octet > 126 for octet in head):
        yield "its headers are not ASCII"
    message = email.message_from_bytes(raw, policy=email.policy.SMTP.clone(raise_on_defect=False))
    for part in message.walk():
        yield from (f"{part.get_content_type()}: {defect!r}" for defect in part.defects)
        for name, value in part.items():
            yield from (f"{name}: {defect!r}" for defect in getattr(value, "defects", ()))
    for name in ONCE:
        found = message.get_all(name, [])
        if len(found) > 1 or (not found and name in ONCE[:3]):
            yield f"{name} is there {len(found)} times"
    if not re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", str(message["Message-ID"]).strip()):
        yield "its Message-ID is none"
    if message["Precedence"]:
        yield "it has a Precedence"
    if message["Auto-Submitted"] not in ("auto-generated", "auto-replied"):
        yield "it does not say that a program sent it"
    if message["List-Id"]:
        for name in ("List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"):
            if not message[name]:
                yield f"it is of a list and has no {name}"
        ways = re.findall(r"<([^>]+)>", str(message["List-Unsubscribe"]))
        if [way.split(":")[0] for way in ways] not in (["https", "mailto"], ["http", "mailto"]):
            yield f"one unsubscribes by {ways}"
        if message["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
            yield "one click does not unsubscribe"
    if message.get_content_type() != "multipart/alternative":
        yield f"it is {message.get_content_type()}"
        return
    kinds = [part.get_content_type() for part in message.iter_parts()]
    if kinds != ["text/plain", "text/html"]:
        yield f"it has {kinds}"
    for part in message.iter_parts():
        text = part.get_content()
        if "\ufffd" in text or not text.strip():
            yield f"its {part.get_content_type()} can't be read"


def main():
    said = []
    for name in sys.argv[1:]:
        path = pathlib.Path(name)
        said += [f"{path.name}: {problem}" for problem in problems(path.read_bytes())]
    print(json.dumps(said))


main()
