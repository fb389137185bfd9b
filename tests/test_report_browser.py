"""The HTML report in a real browser: formulas are set, links work, nothing is fetched, and a phone shows all of it."""

import shutil

import pytest

from bnsym.report.html import html
from tests.report_cases import STORIES

playwright = pytest.importorskip("playwright.sync_api", reason="the browser is driven by playwright")
BROWSER = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")

NAMES = ("batch_norm", "batch_norm_gelu_tanh", "batch_renorm")
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1200, "height": 900}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        opened = p.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, tmp_path):
    """A report in a window of some size, and what the browser complained of or asked for."""
    contexts = []

    def opened(name, viewport, scheme="light"):
        path = tmp_path / f"{name}.html"
        path.write_text(html(STORIES[name]), encoding="utf-8")
        contexts.append(browser.new_context(viewport=viewport, color_scheme=scheme))
        page, seen = contexts[-1].new_page(), []
        page.on("console", lambda message: seen.append(message.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("request", lambda request: seen.append(request.url))
        page.goto(path.as_uri())
        seen[:] = [entry for entry in seen if entry not in (path.as_uri(), "data:,")]
        return page, seen

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", NAMES)
def test_formulas_are_set_nothing_is_fetched_and_a_phone_needs_no_scrolling_to_the_side(opened, name):
    page, seen = opened(name, DESK)
    assert seen == []
    fraction = page.locator("math mfrac").first
    top, bottom = (fraction.locator("> *").nth(n).bounding_box() for n in (0, 1))
    assert top["y"] + top["height"] <= bottom["y"] + 1  # one above the other, and not side by side as plain text is
    shown = page.locator("main").inner_text()
    assert "\\" not in shown
    assert "idx(" not in shown
    page.set_viewport_size(PHONE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]
    assert seen == []


def test_light_and_dark(opened):
    def brightness(page, what):
        color = page.evaluate(f"getComputedStyle(document.body).{what}")
        return sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(",")))

    light, dark = (opened("batch_norm", DESK, scheme)[0] for scheme in ("light", "dark"))
    assert brightness(light, "color") < 200 < 600 < brightness(light, "backgroundColor")
    assert brightness(dark, "backgroundColor") < 200 < 600 < brightness(dark, "color")


def test_a_box_of_the_graph_leads_to_its_equation(opened):
    page, _ = opened("batch_norm", PHONE)
    box = page.locator("svg.graph a", has_text="x_hat")
    box.click()
    target = page.locator(":target")
    assert target.get_attribute("id") == "eq-3"
    page.wait_for_function("document.querySelector(':target').getBoundingClientRect().top < innerHeight")
    page.locator("nav a", has_text="The chain rule").click()
    assert page.locator(":target").get_attribute("id") == "the-chain-rule"
