"""An HTTP server that keeps the part of Grafana's documented API that the push uses, in memory.

No Grafana is installable where these tests run. Followed, from Grafana 11's HTTP API reference:
paths, methods, status codes, the fields of requests and answers, bearer and basic authentication,
unique names of data sources, ``overwrite`` and versions of boards, boards only in folders that
exist, read-only (provisioned) data sources and boards, secrets that are never given back. Not
followed: permissions beyond a flag, organisations, the checks that Grafana makes of a board's or a
data source's content.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, Any]]


@dataclass
class State:
    """What the server holds, and how it behaves."""

    token: str = "glsa_right"  # noqa: S105
    user: tuple[str, str] = ("admin", "secret")
    version: str = "11.4.0"
    prefix: str = ""
    viewer: bool = False
    failing: bool = False
    provisioned: set[str] = field(default_factory=set)
    folders: dict[str, str] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    boards: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: int = 0

    def authorized(self, header: str) -> bool:
        basic = base64.b64encode(":".join(self.user).encode()).decode()
        return header in {f"Bearer {self.token}", f"Basic {basic}"}

    def answer(  # noqa: C901, PLR0911 - one return a route
        self,
        method: str,
        path: list[str],
        body: Any,  # noqa: ANN401
    ) -> Answer:
        if self.viewer and method != "GET":
            return 403, {"message": "You'll need additional permissions to perform this action."}
        if method != "GET":
            self.writes += 1
        match method, path:
            case "GET", ["folders", uid] if uid in self.folders:
                return 200, {"uid": uid, "title": self.folders[uid]}
            case "POST", ["folders"]:
                return self._add_folder(body)
            case "GET", ["datasources", "uid", uid] if uid in self.sources:
                return 200, self._shown(self.sources[uid])
            case "POST", ["datasources"]:
                return self._add_source(body)
            case "PUT", ["datasources", "uid", uid] if uid in self.sources:
                return self._replace_source(uid, body)
            case "GET", ["dashboards", "uid", uid] if uid in self.boards:
                return 200, self.boards[uid]
            case "POST", ["dashboards", "db"]:
                return self._save_board(body)
            case "GET", ["v1", "provisioning", "alert-rules", uid] if uid in self.rules():
                return 200, self.rules()[uid]
            case "GET", ["v1", "provisioning", "folder", _, "rule-groups", name] if (
                name in self.groups
            ):
                return 200, self.groups[name]
            case "PUT", ["v1", "provisioning", "folder", folder, "rule-groups", name]:
                return self._save_rules(folder, name, body)
        return 404, {"message": "Not found", "traceID": ""}

    def _add_folder(self, body: dict[str, Any]) -> Answer:
        if body["uid"] in self.folders or body["title"] in self.folders.values():
            return 409, {"message": "a folder with the same name already exists"}
        self.folders[body["uid"]] = body["title"]
        return 200, {"id": len(self.folders), "uid": body["uid"], "title": body["title"]}

    def _add_source(self, body: dict[str, Any]) -> Answer:
        if any(source["name"] == body["name"] for source in self.sources.values()):
            return 409, {"message": "data source with the same name already exists"}
        self.sources[body["uid"]] = body
        return 200, {"datasource": self._shown(body), "message": "Datasource added"}

    def _replace_source(self, uid: str, body: dict[str, Any]) -> Answer:
        if uid in self.provisioned:
            return 403, {"message": "Cannot update read-only data source"}
        self.sources[uid] = body
        return 200, {"datasource": self._shown(body), "message": "Datasource updated"}

    def _shown(self, source: dict[str, Any]) -> dict[str, Any]:
        secrets = source.get("secureJsonData", {})
        return {
            **{key: value for key, value in source.items() if key != "secureJsonData"},
            "secureJsonFields": dict.fromkeys(secrets, True),
            "readOnly": source["uid"] in self.provisioned,
        }

    def rules(self) -> dict[str, dict[str, Any]]:
        return {rule["uid"]: rule for group in self.groups.values() for rule in group["rules"]}

    def _save_rules(self, folder: str, name: str, body: dict[str, Any]) -> Answer:
        if folder not in self.folders:
            return 400, {"message": "folder does not exist"}
        rules = [
            {**rule, "id": number, "updated": "2024-12-05T10:00:00Z", "provenance": "api"}
            for number, rule in enumerate(body["rules"], start=1)
        ]
        self.groups[name] = {**body, "rules": rules}
        return 200, self.groups[name]

    def _save_board(self, body: dict[str, Any]) -> Answer:
        board = body["dashboard"]
        uid = board["uid"]
        held = self.boards.get(uid)
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        if uid in self.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if held and not body.get("overwrite"):
            return 412, {"status": "version-mismatch", "message": "changed by someone else"}
        version = held["dashboard"]["version"] + 1 if held else 1
        number = held["dashboard"]["id"] if held else len(self.boards) + 1
        self.boards[uid] = {
            "dashboard": {**board, "id": number, "version": version},
            "meta": {"folderUid": body["folderUid"], "provisioned": False},
        }
        return 200, {"status": "success", "uid": uid, "version": version}


@contextmanager
def grafana(state: State) -> Iterator[str]:
    """Serve ``state`` on a free loopback port; gives the URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

        def _respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            path = self.path.removeprefix(state.prefix)
            status, body = self._decide(path, json.loads(raw) if raw and raw != b"null" else None)
            content = json.dumps(body).encode() if isinstance(body, dict) else body
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _decide(
            self,
            path: str,
            body: Any,  # noqa: ANN401
        ) -> tuple[int, dict[str, Any] | bytes]:
            if state.failing:
                return 503, {"message": "database is locked"}
            if not self.path.startswith(f"{state.prefix}/api/"):
                return 404, b"<html>no such message board</html>"
            if path == "/api/health":
                return 200, {"database": "ok", "version": state.version, "commit": "c"}
            if not state.authorized(self.headers.get("Authorization", "")):
                return 401, {"message": "Invalid API key", "messageId": "api-key.invalid"}
            return state.answer(self.command, path.split("/")[2:], body)

        do_GET = do_POST = do_PUT = _respond  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{state.prefix}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
