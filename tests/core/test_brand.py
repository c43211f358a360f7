"""The partner's brand is read from the environment, keeps text readable, and serves its files on every host."""

import struct
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings
from hypothesis import given
from hypothesis import strategies as st

from integrations.connections.models import BrandLogo
from partner_portal.core import brand_styles
from partner_portal.core.brand import Brand, brand_of_environment
from partner_portal.core.colors import READABLE, contrast
from partner_portal.core.logos import MAX_BYTES, Logo, read_logo

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><script>alert(1)</script><circle r="4"/></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 64, 64)
COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


class TestEnvironment:
    def test_without_settings_the_brand_is_the_portals_own(self) -> None:
        assert brand_of_environment({}) == (Brand(), None)

    def test_each_variable_sets_a_part_of_the_brand(self, tmp_path: Path) -> None:
        file = tmp_path / "logo.svg"
        file.write_bytes(SVG)
        brand, logo = brand_of_environment(
            {
                "BRAND_NAME": "Bluebird SMS",
                "BRAND_COLOR": "#1F5C99",
                "BRAND_LOGO": str(file),
                "BRAND_SUPPORT_EMAIL": "care@bluebird.example",
                "BRAND_SUPPORT_URL": "https://bluebird.example/help",
                "BRAND_TERMS_URL": "https://bluebird.example/terms",
                "BRAND_PRIVACY_URL": "https://bluebird.example/privacy",
            }
        )
        assert logo is not None
        assert brand == Brand(
            name="Bluebird SMS",
            logo=logo.name,
            color="#1f5c99",
            support_email="care@bluebird.example",
            support_url="https://bluebird.example/help",
            terms_url="https://bluebird.example/terms",
            privacy_url="https://bluebird.example/privacy",
        )

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("BRAND_NAME", "x" * 101),
            ("BRAND_NAME", "Blue\x07bird"),
            ("BRAND_COLOR", "blue"),
            ("BRAND_COLOR", "#12345"),
            ("BRAND_LOGO", "/nowhere/logo.svg"),
            ("BRAND_SUPPORT_EMAIL", "care"),
            ("BRAND_SUPPORT_URL", "bluebird.example"),
            ("BRAND_TERMS_URL", "javascript:alert(1)"),
            ("BRAND_PRIVACY_URL", "https://bluebird.example/a b"),
        ],
    )
    def test_an_unusable_value_stops_the_start_and_names_the_variable(self, variable: str, value: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=variable):
            brand_of_environment({variable: value})


class TestLogos:
    @pytest.mark.parametrize(
        ("content", "kind"), [(SVG, "svg"), (b'<?xml version="1.0"?>' + SVG, "svg"), (PNG, "png")]
    )
    def test_an_svg_and_a_png_are_taken(self, content: bytes, kind: str) -> None:
        assert read_logo(content).name.endswith(f".{kind}")

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"GIF89a",
            b"<html xmlns='http://www.w3.org/1999/xhtml'></html>",
            b'<!DOCTYPE svg [<!ENTITY a "aa">]>' + SVG,
            b'<?xml version="1.0" encoding="bogus"?>' + SVG,
            b'<?xml version="1.0" encoding="rot13"?>' + SVG,
            b'<?xml version="1.0" encoding="utf-7"?>' + SVG,
            SVG[:-3],
            PNG[:12],
            PNG[:16] + struct.pack(">II", 9000, 10),
            SVG + b" " * MAX_BYTES,
        ],
    )
    def test_an_invalid_damaged_or_large_logo_is_refused(self, content: bytes) -> None:
        with pytest.raises(ValueError, match=r"\."):
            read_logo(content)


class TestReadable:
    @given(COLORS, st.sampled_from([brand_styles.LIGHT, brand_styles.DARK]))
    def test_text_stays_readable_on_any_color(self, color: str, backgrounds: tuple[str, str]) -> None:
        found = brand_styles.variables(color, backgrounds)
        pairs = [(found["brand-ink"], found[under]) for under in ("brand", "hover")]
        pairs += [(found["accent"], under) for under in (*backgrounds, found["accent-tint"])]
        assert min(contrast(*pair) for pair in pairs) >= READABLE

    def test_the_contrast_is_computed_against_the_pages_backgrounds(self) -> None:
        css = (settings.BASE_DIR / "static/portal.css").read_text()
        for page, card in (brand_styles.LIGHT, brand_styles.DARK):
            assert f"--page: {page}; --card: {card.replace('#ffffff', '#fff')};" in css
        assert f"--brand: {brand_styles.OWN};" in css


class TestFiles:
    @pytest.mark.django_db
    @pytest.mark.parametrize("keep", ["memory", "database"])
    def test_a_logo_may_be_kept_for_good_and_runs_nothing(self, client: Client, keep: str) -> None:
        logo = read_logo(SVG)
        if keep == "database":
            BrandLogo.keep(logo)
        with override_settings(BRAND_LOGO=logo if keep == "memory" else None):
            answer = client.get(Brand(logo=logo.name).logo_path)
        assert answer.content == SVG
        assert answer["Content-Type"] == "image/svg+xml"
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"

    def test_a_style_sheet_may_be_kept_until_another_version_makes_another(self, client: Client) -> None:
        path = Brand(color="#ffee00").stylesheet_path
        assert client.get(path)["Cache-Control"] == "public, max-age=31536000, immutable"
        assert b"--brand: #ffee00; --brand-ink: #000000;" in client.get(path).content
        assert client.get("/brand/ffee00-0.css")["Cache-Control"] == "no-cache"

    @pytest.mark.django_db
    @pytest.mark.parametrize("name", ["x.svg", "green-1.css", "1f5c99-.css"])
    def test_an_unknown_file_is_not_found(self, client: Client, name: str) -> None:
        assert client.get(f"/brand/{name}").status_code == 404


@pytest.mark.django_db
def test_the_same_file_is_one_logo() -> None:
    logo = Logo("a.svg", SVG)
    assert BrandLogo.keep(logo) == BrandLogo.keep(logo)
