"""Put a report on a pull request of GitHub or a merge request of GitLab: `python3 comment.py fleet.md`.

The comment of an earlier run is replaced; it is known by the report's first line. Standard library only.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from typing import Any

PAGE = 100


def call(method: str, address: str, body: dict[str, str] | None = None) -> Any:
    """The JSON that the API answers."""
    token = os.environ.get("GITHUB_TOKEN")
    secret = {"Authorization": f"Bearer {token}"} if token else {"PRIVATE-TOKEN": os.environ["COMMENT_TOKEN"]}
    data = json.dumps(body).encode() if body else None
    headers = {**secret, "Content-Type": "application/json"}
    request = urllib.request.Request(address, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def earlier(comments: str, mark: str) -> int | None:
    """The number of the comment that begins with `mark`."""
    page = 1
    while found := call("GET", f"{comments}?per_page={PAGE}&page={page}"):
        for comment in found:
            if comment["body"].startswith(mark):
                return int(comment["id"])
        page += 1
    return None


def main(file: str) -> None:
    """Posts the text of `file` as a comment, or changes the comment that is there already."""
    with open(file, encoding="utf-8") as opened:
        report = opened.read()
    env = os.environ
    if "GITHUB_REPOSITORY" in env:
        issues = f"{env['GITHUB_API_URL']}/repos/{env['GITHUB_REPOSITORY']}/issues"
        comments, one, change = f"{issues}/{env['PULL_REQUEST']}/comments", f"{issues}/comments", "PATCH"
    else:
        project = f"{env['CI_API_V4_URL']}/projects/{env['CI_PROJECT_ID']}"
        comments = one = f"{project}/merge_requests/{env['CI_MERGE_REQUEST_IID']}/notes"
        change = "PUT"
    number = earlier(comments, report.partition("\n")[0])
    if number is None:
        call("POST", comments, {"body": report})
    else:
        call(change, f"{one}/{number}", {"body": report})


if __name__ == "__main__":
    main(sys.argv[1])
