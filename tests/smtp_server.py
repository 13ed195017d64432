"""A real SMTP server for tests (aiosmtpd), which can be told to misbehave.

    python3 tests/smtp_server.py DIRECTORY [options]

It listens on loopback, prints one line of JSON, {"port": N, "cert": PATH or null}, and serves until
its standard input closes, so that it never outlives the test that holds the other end. Every
message it takes becomes DIRECTORY/000001.eml, 000002.eml and so on, complete from the moment it
appears, and begins with lines of our own: X-MailFrom, one X-RcptTo for each recipient, X-Tls (the
version, or none) and X-Login (the user name, or none).
"""

import argparse
import asyncio
import fnmatch
import json
import logging
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import threading
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / ".tools" / "python"))
from aiosmtpd.smtp import SMTP, AuthResult

ALWAYS = float("inf")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--port", type=int, default=0, help="the default is any free one")
    parser.add_argument(
        "--tls", choices=("none", "starttls", "hidden"), default="none",
        help="starttls: offered, and mail is refused without it. hidden: mail is taken in the clear, "
        "and STARTTLS works but isn't offered, as when somebody on the way strips the offer",
    )
    parser.add_argument("--cert", help="PEM; the default is a new self-signed one for 127.0.0.1")
    parser.add_argument("--key", help="PEM; belongs to --cert")
    parser.add_argument("--auth", metavar="USER:PASS", help="mail is refused without this sign-in")
    parser.add_argument(
        "--reject", metavar="PATTERN=CODE[ TEXT]", action="append", default=[], type=rejection,
        help="answer to recipients that match, such as '*@gone.example=550', 'busy@*=451' or 'shy@*=550 5.7.1 no'",
    )
    parser.add_argument(
        "--stall", metavar="SECONDS", type=float, default=0,
        help="wait before the answer to the message; it is kept only if the client waits too",
    )
    parser.add_argument(
        "--stall-for", metavar="PATTERN", default="*", help="only over messages to recipients that match",
    )
    parser.add_argument(
        "--drop-after-data", metavar="TIMES", type=int, nargs="?", const=ALWAYS, default=0,
        help="keep the message, then close the connection without an answer: always, or so often",
    )
    options = parser.parse_args()
    if bool(options.cert) != bool(options.key):
        parser.error("--cert and --key go together")
    return options


def rejection(text):
    pattern, _, answer = text.rpartition("=")
    code, _, said = answer.partition(" ")
    if not pattern or not (code.isdigit() and 400 <= int(code) <= 599):
        raise argparse.ArgumentTypeError("PATTERN=CODE, with a code from 400 to 599")
    usual = "1.1 no such mailbox" if code[0] == "5" else "2.0 try again later"
    return pattern.lower(), f"{code} {said or f'{code[0]}.{usual}'}"


class Handler:
    """aiosmtpd calls these; what they return is the answer to the client."""

    def __init__(self, options):
        self.options = options
        self.drops = options.drop_after_data
        self.number = max((int(eml.stem) for eml in options.directory.glob("*.eml")), default=0)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        if self.options.tls == "hidden":
            responses = [line for line in responses if "STARTTLS" not in line]
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        for pattern, answer in self.options.reject:
            if fnmatch.fnmatchcase(address.lower(), pattern):
                return f"{answer} <{address}>"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        # A client that gives up meanwhile cancels this.
        if any(fnmatch.fnmatchcase(to.lower(), self.options.stall_for) for to in envelope.rcpt_tos):
            await asyncio.sleep(self.options.stall)
        name = self.keep(session, envelope)
        if self.drops > 0:
            self.drops -= 1
            server.transport.abort()
            await asyncio.Event().wait()  # until the lost connection cancels this
        return f"250 2.0.0 kept as {name}"

    def keep(self, session, envelope):
        tls = session.ssl["ssl_object"].version() if session.ssl else "none"
        lines = [f"X-MailFrom: {envelope.mail_from}"]
        lines += [f"X-RcptTo: {address}" for address in envelope.rcpt_tos]
        lines += [f"X-Tls: {tls}", f"X-Login: {session.auth_data or 'none'}"]
        head = "".join(line + "\r\n" for line in lines).encode("utf-8", "surrogateescape")

        self.number += 1
        name = f"{self.number:06}.eml"
        part = self.options.directory / (name + ".part")
        with open(part, "wb") as file:
            file.write(head + envelope.original_content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.options.directory / name)
        return name


def authenticator(expected):
    def check(server, session, envelope, mechanism, data):
        given = data.login + b":" + data.password
        right = given == expected.encode()
        return AuthResult(success=right, handled=False, auth_data=data.login.decode())

    return check


def self_signed(directory):
    """Not an authority (CA:FALSE): rustls refuses a server that shows an authority's certificate."""
    cert, key, config = (directory / name for name in ("cert.pem", "key.pem", "openssl.cnf"))
    config.write_text(
        "[req]\ndistinguished_name = dn\nx509_extensions = ext\nprompt = no\n"
        "[dn]\nCN = localhost\n"
        "[ext]\nbasicConstraints = critical, CA:FALSE\n"
        "keyUsage = critical, digitalSignature\nextendedKeyUsage = serverAuth\n"
        "subjectAltName = IP:127.0.0.1, DNS:localhost\n"
    )
    made = subprocess.run(
        ["openssl", "req", "-x509", "-days", "2", "-nodes", "-config", config]
        + ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", cert, "-keyout", key],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    if made.returncode != 0:
        sys.exit(made.stderr)
    return str(cert), str(key)


async def serve(options):
    handler = Handler(options)
    settings = {"hostname": "localhost", "ident": "test", "enable_SMTPUTF8": True}
    if options.tls != "none":
        if not options.cert:
            options.cert, options.key = self_signed(options.directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
        settings.update(tls_context=context, require_starttls=options.tls == "starttls")
    if options.auth:
        settings.update(
            authenticator=authenticator(options.auth),
            auth_required=True,
            auth_require_tls=options.tls == "starttls",
        )
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, **settings), "127.0.0.1", options.port
    )
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"port": port, "cert": options.cert}), flush=True)
    await server.serve_forever()


def end_with_stdin():
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Clients that go away and sign-ins in the clear are what the tests are about.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    chosen = arguments()
    chosen.directory.mkdir(parents=True, exist_ok=True)
    threading.Thread(target=end_with_stdin, daemon=True).start()
    asyncio.run(serve(chosen))
