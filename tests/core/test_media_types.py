"""Only harmless parts of a caller's content types are kept, and multipart forms are read as before."""

import io
import logging
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest

from partner_portal.core.media_types import keep_plain

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("text/plain; charset=hex", "text/plain"),
        ("application/json; charset*=nosuch''x", "application/json"),
        ("multipart/form-data; boundary=--a1; charset=hex", 'multipart/form-data; boundary="--a1"'),
        ('Multipart/Form-Data; charset=x;boundary="a b"', 'Multipart/Form-Data; boundary="a b"'),
        ("multipart/form-data; boundary*=nosuch''x", "multipart/form-data"),
        ("", ""),
    ],
)
def test_only_the_multipart_boundary_of_a_content_type_is_kept(said: str, left: str) -> None:
    environ: dict[str, Any] = {"CONTENT_TYPE": said}
    keep_plain(environ)
    assert environ["CONTENT_TYPE"] == left


def test_only_a_readable_accept_header_is_kept() -> None:
    ordinary: dict[str, Any] = {"HTTP_ACCEPT": "text/html;q=0.9, */*"}
    keep_plain(ordinary)
    assert ordinary == {"HTTP_ACCEPT": "text/html;q=0.9, */*"}

    environ: dict[str, Any] = {"HTTP_ACCEPT": "text/html;q*=nosuch''1"}
    keep_plain(environ)
    assert environ == {}


@pytest.mark.parametrize("boundary", ["----WebKitFormBoundaryx7", '"a b"', "'()+_,-./:=?"])
def test_a_form_in_parts_is_read(boundary: str) -> None:
    body = '--{0}\r\nContent-Disposition: form-data; name="name"\r\n\r\nÁgnes\r\n--{0}--\r\n'
    sent = body.format(boundary.strip('"')).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": f"multipart/form-data; charset=windows-1251; boundary={boundary}",
        "CONTENT_LENGTH": str(len(sent)),
        "wsgi.input": io.BytesIO(sent),
    }
    keep_plain(environ)

    assert WSGIRequest(environ).POST.dict() == {"name": "Ágnes"}


def test_a_request_that_gunicorn_cannot_handle_is_logged_without_its_address() -> None:
    keep = runpy.run_path(str(ROOT / "gunicorn.conf.py"))["without_what_was_sent"]
    record = logging.makeLogRecord({"msg": "Error handling request %s %s", "args": ("GET", "/connect/?user_data=x")})

    assert keep(record)
    assert record.getMessage() == "Error handling request"
