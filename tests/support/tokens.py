"""A personal access token of Label Studio, made as in the account's settings."""

from __future__ import annotations

import httpx

from seedqueue.backend.demo.label_studio import LabelStudioServer


def personal_token(server: LabelStudioServer, email: str = "", password: str = "") -> str:
    """Of the user with this address and password, the server's first user where none is given."""
    with httpx.Client(base_url=server.url, timeout=60, follow_redirects=True) as session:
        session.get("/user/login").raise_for_status()
        form = {
            "email": email or server.username,
            "password": password or server.password,
            "csrfmiddlewaretoken": session.cookies["csrftoken"],
        }
        session.post("/user/login", data=form, headers={"Referer": f"{server.url}/user/login"}).raise_for_status()
        answer = session.post("/api/token/", headers={"X-CSRFToken": session.cookies["csrftoken"]})
        answer.raise_for_status()
        return str(answer.json()["token"])
