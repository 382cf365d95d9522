"""Robots of group chats: DingTalk, WeCom and Feishu. They answer 200 also when they refuse, and say so in the body.

The address is the one that the platform shows (``https://…``), or Apprise's short form of it; what signs stands in
the second line of its file. Apprise itself is not used here: it takes each refusal for success (ADR 0016).
"""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from smartpark.alerts.routes import ChannelKind
from smartpark.webhooks import WebhookRefusedError, encoded, post

from smartpark_ingest.alerting.notify.message import Address, Message, NotTakenError

SPACING_S: Final = 3.1
"""Between two messages to a robot: they take twenty a minute, and DingTalk then shuts one out for ten minutes."""


_PLACES: Final[Mapping[ChannelKind, tuple[str, str]]] = {
    ChannelKind.DINGTALK: ("dingtalk", "https://oapi.dingtalk.com/robot/send?access_token="),
    ChannelKind.WECOM: ("wecombot", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key="),
    ChannelKind.FEISHU: ("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/"),
}
"""Scheme of the short form, and the address before the token."""


class _Call(NamedTuple):
    url: str
    document: Mapping[str, Any]


def send_to_robot(message: Message, address: Address, *, may_be_private: bool = False) -> None:
    """Hand a message over; `NotTakenError` says what the platform said, without the address."""
    call = _CALLS[message.contact.channel](message, address)
    try:
        answer = post(call.url, encoded(call.document), may_be_private=may_be_private)
    except WebhookRefusedError as error:
        raise NotTakenError(address.hidden_in(str(error))) from None
    if answer.status != 200:
        raise NotTakenError(address.hidden_in(answer.detail))
    _check_verdict(answer.body, address)


def robot_url(channel: ChannelKind, address: Address) -> str:
    """Where a robot is told, without its token; `NotTakenError` when its file does not say."""
    return _parts(address, *_PLACES[channel]).base


def _check_verdict(body: bytes, address: Address) -> None:
    try:
        said: Any = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise NotTakenError("the robot answered 200 without saying whether it took the message")
    code = next((said[key] for key in ("errcode", "code", "StatusCode") if key in said), None)  # pyright: ignore[reportUnknownVariableType]  JSON of a stranger
    if code != 0:
        text = str(said.get("errmsg") or said.get("msg") or "")[:200]  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  JSON of a stranger
        raise NotTakenError(address.hidden_in(f"the robot refused the message with code {code}: {text}"))


def _text(message: Message, most_bytes: int) -> str:
    """Subject and text, cut where the platform would refuse more."""
    text = f"{message.words.subject}\n{message.words.text}"
    if len(text.encode()) <= most_bytes:
        return text
    return text.encode()[: most_bytes - 3].decode(errors="ignore") + "…"


def _dingtalk(message: Message, address: Address) -> _Call:
    base, token, user, phones = _parts(address, *_PLACES[ChannelKind.DINGTALK])
    secret, url = address.secret or user, base + quote(token, safe="")
    if secret:
        at_ms = int(message.now.timestamp() * 1000)
        digest = hmac.digest(secret.encode(), f"{at_ms}\n{secret}".encode(), "sha256")
        url += f"&timestamp={at_ms}&sign={quote(base64.b64encode(digest), safe='')}"
    text = _text(message, 18_000)
    return _Call(url, {"msgtype": "text", "text": {"content": text}, "at": {"atMobiles": phones, "isAtAll": False}})


def _wecom(message: Message, address: Address) -> _Call:
    base, key, _, phones = _parts(address, *_PLACES[ChannelKind.WECOM])
    text = {"content": _text(message, 2048), "mentioned_mobile_list": phones}
    return _Call(base + quote(key, safe=""), {"msgtype": "text", "text": text})


def _feishu(message: Message, address: Address) -> _Call:
    base, token, user, _ = _parts(address, *_PLACES[ChannelKind.FEISHU])
    document: dict[str, Any] = {"msg_type": "text", "content": {"text": _text(message, 18_000)}}
    secret = address.secret or user
    if secret:
        at_s = int(message.now.timestamp())
        digest = hmac.digest(f"{at_s}\n{secret}".encode(), b"", "sha256")
        document |= {"timestamp": str(at_s), "sign": base64.b64encode(digest).decode()}
    return _Call(base + quote(token, safe=""), document)


_CALLS: Final[Mapping[ChannelKind, Callable[[Message, Address], _Call]]] = {
    ChannelKind.DINGTALK: _dingtalk,
    ChannelKind.WECOM: _wecom,
    ChannelKind.FEISHU: _feishu,
}


class _Parts(NamedTuple):
    base: str
    """Address up to the token."""
    token: str
    user: str
    phones: list[str]
    """Whose attention is drawn."""


def _parts(address: Address, scheme: str, base: str) -> _Parts:
    """Read ``SCHEME://[SECRET@]TOKEN[/PHONE…]``, or the address as the platform shows it, on whatever host."""
    try:
        parts = urlsplit(address.target)
        host = parts.hostname
    except ValueError:
        parts, host = None, None
    if parts is None or not host:
        raise NotTakenError(f"its file holds no address; write https://… as the platform shows it, or {scheme}://…")
    if parts.scheme == scheme:
        # The parsed host is in lower case, and a token is not.
        user, _, token = parts.netloc.rpartition("@")
        phones = [unquote(one) for one in parts.path.split("/") if one]
        return _Parts(base, unquote(token), unquote(user), phones)
    pattern = re.escape(urlsplit(base).path) + (r"\?" + re.escape(urlsplit(base).query) if "?" in base else "")
    found = re.fullmatch(rf"(https?://[^/?#]+{pattern})([\w%.-]+)/?(?:&.*)?", address.target)
    if found is None:
        raise NotTakenError(f"its file holds no such address; it looks like {base}… or {scheme}://…")
    return _Parts(found[1], unquote(found[2]), "", [])
