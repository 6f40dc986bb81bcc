"""http.get(URL): requests that the host sends, where its rights let it."""

import base64
import builtins
import json
import urllib.parse

from . import tools

_CALL = "mote:fetch"
_NO_TOOL = "there is no tool"


class HttpError(OSError):
    """A request was refused, or got no answer."""


class HttpStatusError(HttpError):
    """A server answered with a status of 400 or more."""

    def __init__(self, response):
        super().__init__(f"{response.status} {response.reason} for {response.url}")
        self.response = response


HttpError.__module__ = HttpStatusError.__module__ = "http"


class Headers(dict):
    """Headers by name in lower case; asked for in any case."""

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __contains__(self, name):
        return super().__contains__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


class Response:
    """What a server answered."""

    def __init__(self, answer):
        self.status = self.status_code = answer["status"]
        self.reason = answer["statusText"]
        self.url = answer["url"]
        self.redirected = answer["redirected"]
        self.headers = Headers()
        for name, value in answer["headers"]:
            dict.__setitem__(self.headers, name, f"{dict.__getitem__(self.headers, name)}, {value}" if name in self.headers else value)
        self.content = base64.b64decode(answer["body"])

    def __repr__(self):
        return f"<response {self.status} {self.url}>"

    @property
    def ok(self):
        return self.status < 400

    @property
    def encoding(self):
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = part.strip().partition("=")
            if name.lower() == "charset":
                return value.strip("\"'")
        return "utf-8"

    @property
    def text(self):
        try:
            return self.content.decode(self.encoding, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.content)

    def raise_for_status(self):
        if not self.ok:
            raise HttpStatusError(self)
        return self


def request(method, url, *, params=None, headers=None, data=None, json=None, redirect=True):
    """Sends a request. params: dict of the query; data: bytes, text or dict of a form; json: any value."""
    if params:
        url += ("&" if "?" in url else "?") + urllib.parse.urlencode(params, doseq=True)
    sent = [[str(name), str(value)] for name, value in dict(headers or {}).items()]
    body, kind = _body(data, json)
    if kind and not any(name.lower() == "content-type" for name, _ in sent):
        sent.append(["content-type", kind])
    call = {
        "method": str(method),
        "url": str(url),
        "headers": sent,
        "body": None if body is None else base64.b64encode(body).decode(),
        "redirect": "follow" if redirect else "manual",
    }
    try:
        answer = tools.Tool(_CALL)(call)
    except tools.ToolError as error:
        text = str(error)
        unsaid = text.startswith(_NO_TOOL)
    else:
        return Response(answer)
    raise HttpError("the sandbox has no network; its host names what it may reach in rights.net" if unsaid else text)


def _body(data, value):
    if value is not None:
        if data is not None:
            raise TypeError("data and json exclude each other")
        return json.dumps(value).encode(), "application/json"
    if data is None:
        return None, None
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data), "application/octet-stream"
    if isinstance(data, str):
        return data.encode(), "text/plain; charset=utf-8"
    return urllib.parse.urlencode(data, doseq=True).encode(), "application/x-www-form-urlencoded"


def _method(name):
    def send(url, **options):
        return request(name.upper(), url, **options)

    send.__name__ = send.__qualname__ = name
    send.__doc__ = f"Sends a request with the method {name.upper()}; see request()."
    return send


class _Http:
    """http.get(URL), post, put, patch, delete, head, options and request(METHOD, URL)."""

    __slots__ = ()
    Error = HttpError
    StatusError = HttpStatusError
    request = staticmethod(request)

    def __repr__(self):
        return "<http: requests through the host>"


for _name in ("get", "post", "put", "patch", "delete", "head", "options"):
    setattr(_Http, _name, staticmethod(_method(_name)))


def install():
    builtins.http = _Http()
