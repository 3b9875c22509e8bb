# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WSMan messages that ansible-core's winrm connection exchanges with a Windows host (MS-WSMV), and nothing more.

Requests are parsed to :class:`Request`; answers are built as bytes. What a message means is decided in server.py.
"""

from __future__ import annotations

import base64
import functools
import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
#: WSMan fault: the operation (a Receive with nothing to say yet) ran into its own time-out. The client asks again.
TIMED_OUT = 2150858793
#: The shell that the client names is not there (any more).
INVALID_SELECTORS = 2150858843
#: Windows' ERROR_ACCESS_DENIED, as a fault: the account is known and may not use WinRM.
ACCESS_DENIED = 5
#: One Receive carries at most so much output, like a real host with its 500 kB envelope.
CHUNK = 300_000

_NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "rsp": SHELL,
}
_DURATION = re.compile(r"^PT(\d+(?:\.\d+)?)S$")
_STREAM = re.compile(rb"[<:]Stream\b[^>]*>")


class WsmanError(ValueError):
    """A message that is not WSMan, or not the part of it that this double speaks."""


@dataclass(frozen=True)
class Request:
    """One parsed request; fields that the operation does not use are empty."""

    action: str
    message_id: str
    operation_timeout: float
    shell_id: str = ""
    command_id: str = ""
    command: str = ""
    stdin: bytes = b""
    end: bool = False


def parse(body: bytes) -> Request:
    """Parse one SOAP request. Raises WsmanError."""
    if b"<!DOCTYPE" in body[:4096]:
        raise WsmanError("a document type has no place in WSMan")
    body, stream = _without_stream(body)
    try:
        root = ET.fromstring(body)
    except ET.ParseError as error:
        raise WsmanError(f"not XML: {error}") from error
    header = root.find("s:Header", _NS)
    soap_body = root.find("s:Body", _NS)
    if header is None:
        raise WsmanError("no SOAP header")
    action_uri = header.findtext("a:Action", "", _NS)
    action = action_uri.rsplit("/", 1)[-1]
    timeout = _DURATION.match(header.findtext("w:OperationTimeout", "", _NS))
    fields: dict[str, object] = {
        "action": action,
        "message_id": header.findtext("a:MessageID", "", _NS),
        "operation_timeout": float(timeout.group(1)) if timeout else 60.0,
        "shell_id": header.findtext("w:SelectorSet/w:Selector[@Name='ShellId']", "", _NS),
    }
    if soap_body is not None:
        fields.update(_body(action, soap_body, stream))
    return Request(**fields)  # type: ignore[arg-type]


def _without_stream(body: bytes) -> tuple[bytes, bytes]:
    """A message without the text of its stream, and that text: hundreds of kilobytes, nothing for an XML parser."""
    tag = _STREAM.search(body)
    if tag is None:
        return body, b""
    end = max(body.find(b"<", tag.end()), tag.end())
    return body[: tag.end()] + body[end:], body[tag.end() : end]


@functools.lru_cache(maxsize=64)
def _decoded(stream: bytes) -> bytes:
    """All hosts of a fleet are sent almost the same; knowing bytes again is much cheaper than decoding them."""
    return base64.b64decode(stream, validate=True)


def _body(action: str, body: ET.Element, stdin: bytes) -> dict[str, object]:
    if action == "Command":
        line = body.find("rsp:CommandLine", _NS)
        if line is None:
            raise WsmanError("Command without a command line")
        words = [line.findtext("rsp:Command", "", _NS), *(a.text or "" for a in line.findall("rsp:Arguments", _NS))]
        return {"command": " ".join(w for w in words if w), "command_id": line.get("CommandId", "")}
    if action == "Send":
        stream = body.find("rsp:Send/rsp:Stream", _NS)
        if stream is None:
            raise WsmanError("Send without a stream")
        return {
            "command_id": stream.get("CommandId", ""),
            "stdin": _decoded(stdin),
            "end": stream.get("End", "false").lower() in ("true", "1"),
        }
    if action == "Receive":
        stream = body.find("rsp:Receive/rsp:DesiredStream", _NS)
        return {"command_id": stream.get("CommandId", "") if stream is not None else ""}
    if action == "Signal":
        signal = body.find("rsp:Signal", _NS)
        return {"command_id": signal.get("CommandId", "") if signal is not None else ""}
    return {}


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xml:lang="en-US" '
        f'xmlns:s="{_NS["s"]}" xmlns:a="{_NS["a"]}" xmlns:w="{_NS["w"]}" xmlns:rsp="{SHELL}" xmlns:x="{TRANSFER}">'
        f"<s:Header><a:Action>{action}</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>"
        "<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>"
        f"<a:RelatesTo>{relates_to}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def created(request: Request, shell_id: str) -> bytes:
    """Answer to Create."""
    selector = f'<w:SelectorSet><w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet>'
    return _envelope(
        f"{TRANSFER}/CreateResponse",
        request.message_id,
        "<x:ResourceCreated><a:Address>http://host:5985/wsman</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{SHELL}/cmd</w:ResourceURI>{selector}</a:ReferenceParameters></x:ResourceCreated>"
        f"<rsp:Shell><rsp:ShellId>{shell_id}</rsp:ShellId></rsp:Shell>",
    )


def command_started(request: Request, command_id: str) -> bytes:
    """Answer to Command."""
    return _envelope(
        f"{SHELL}/CommandResponse",
        request.message_id,
        f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>",
    )


def sent(request: Request) -> bytes:
    """Answer to Send."""
    return _envelope(f"{SHELL}/SendResponse", request.message_id, "<rsp:SendResponse/>")


def signalled(request: Request) -> bytes:
    """Answer to Signal."""
    return _envelope(f"{SHELL}/SignalResponse", request.message_id, "<rsp:SignalResponse/>")


def deleted(request: Request) -> bytes:
    """Answer to Delete."""
    return _envelope(f"{TRANSFER}/DeleteResponse", request.message_id, "")


def received(request: Request, stdout: bytes, stderr: bytes, exit_code: int | None) -> bytes:
    """Answer to Receive. exit_code None: the command still runs."""
    parts = []
    for name, data in (("stdout", stdout), ("stderr", stderr)):
        if data:
            text = base64.b64encode(data).decode()
            parts.append(f'<rsp:Stream Name="{name}" CommandId="{request.command_id}">{text}</rsp:Stream>')
    if exit_code is None:
        parts.append(f'<rsp:CommandState CommandId="{request.command_id}" State="{SHELL}/CommandState/Running"/>')
    else:
        for name in ("stdout", "stderr"):
            parts.append(f'<rsp:Stream Name="{name}" CommandId="{request.command_id}" End="true"/>')
        parts.append(
            f'<rsp:CommandState CommandId="{request.command_id}" State="{SHELL}/CommandState/Done">'
            f"<rsp:ExitCode>{exit_code}</rsp:ExitCode></rsp:CommandState>"
        )
    return _envelope(
        f"{SHELL}/ReceiveResponse", request.message_id, f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"
    )


def fault(message_id: str, code: int, reason: str) -> bytes:
    """A WSMan fault (goes out with HTTP 500)."""
    wsman = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
    return _envelope(
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
        message_id,
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:TimedOut</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason><s:Detail>'
        f'<f:WSManFault xmlns:f="{wsman}" Code="{code}" Machine="double"><f:Message>{reason}</f:Message></f:WSManFault>'
        "</s:Detail></s:Fault>",
    )
