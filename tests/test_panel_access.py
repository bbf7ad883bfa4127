"""The panel for everyone: keyboard and screen reader, both themes, a phone, with a token, after a lost line."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from panel_stage import Stage, needs_chromium, opened_page, opened_stage, until
from vcfx.control import messages as m

pytestmark = [needs_chromium, pytest.mark.xdist_group("browser")]
DESK = {"width": 1_440, "height": 900}
PHONE = {"width": 360, "height": 740}
SHORTCUTS: dict[str, m.Message] = {
    "b": m.Bypass(),
    "m": m.Mute(),
    "n": m.StepPreset(1),
    "p": m.StepPreset(-1),
    "r": m.StartRecording("wet"),
    "x": m.Panic(),
    "2": m.SwitchPreset("robot"),
}
TOKEN = "a-token-for-the-panel-1"


def live(page: Page) -> Page:
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator(".tile").first).to_be_visible()
    return page


def findings(page: Page) -> list[str]:
    """What axe takes for serious or critical, once colours have stopped changing."""
    page.evaluate(
        "Promise.allSettled(document.getAnimations().filter((one) => one instanceof CSSTransition)"
        ".map((one) => one.finished)).then(() => true)"
    )
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_serious(browser: Browser, stage: Stage, theme: Any) -> None:
    with opened_page(browser, stage.address, viewport=DESK, color_scheme=theme) as page:
        live(page)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        assert findings(page) == []
        page.get_by_role("button", name="MIDI learn").click()
        page.locator("#key-mute").click()
        expect(page.locator("#key-mute")).to_have_attribute("aria-pressed", "true")
        assert findings(page) == []
        page.locator("#key-mute").click()
        page.keyboard.press("?")
        assert findings(page) == []
        page.keyboard.press("Escape")
        page.locator("#save").click()
        assert findings(page) == []


def test_the_theme_follows_the_system_until_it_is_switched_and_is_kept(browser: Browser, stage: Stage) -> None:
    with opened_page(browser, stage.address, viewport=DESK, color_scheme="dark") as page:
        live(page)
        root = page.locator("html")
        colour = "getComputedStyle(document.body.parentElement).backgroundColor"
        dark = page.evaluate(colour)
        page.emulate_media(color_scheme="light")
        expect(root).to_have_attribute("data-theme", "light")
        assert page.evaluate(colour) != dark
        page.get_by_role("button", name="Light or dark").click()
        expect(root).to_have_attribute("data-theme", "dark")
        page.reload()
        expect(root).to_have_attribute("data-theme", "dark")


def test_everything_works_with_the_keyboard_alone(browser: Browser, stage: Stage) -> None:
    stage.surface.received.clear()
    with opened_page(browser, stage.address, viewport=DESK) as page:
        live(page)
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        for key, message in SHORTCUTS.items():
            page.keyboard.press(key)
            until(lambda message=message: message in stage.surface.received)  # type: ignore[misc]
        expect(page.locator("#key-record")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("r")
        until(lambda: m.StopRecording() in stage.surface.received)
        page.keyboard.press("m")
        page.keyboard.press("b")
        tabbed_to(page, "#key-mute")
        page.keyboard.press(" ")  # reached with Tab: Space presses the key instead of talking
        until(lambda: stage.surface.of(m.Mute)[2:] == [m.Mute()])
        assert stage.surface.of(m.PushToTalk) == []
        page.keyboard.press(" ")
        tabbed_to(page, ".tile")
        page.keyboard.press("Enter")
        until(lambda: m.SwitchPreset("deep") in stage.surface.received)
        tabbed_to(page, "[data-parameter=semitones] .slider")
        page.keyboard.press("ArrowLeft")
        until(lambda: stage.surface.of(m.SetParameter))
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
        page.keyboard.press("m")  # not while a dialog is open
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
        assert len(stage.surface.of(m.Mute)) == 4


def tabbed_to(page: Page, selector: str) -> None:
    """Press Tab until the first element of a selector has the focus, which must be seen."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement === document.querySelector(selector)", selector):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            return
    raise AssertionError(f"Tab does not lead to {selector}")


def test_every_control_has_a_name_and_no_key_is_a_trap(browser: Browser, stage: Stage) -> None:
    with opened_page(browser, stage.address, viewport=DESK) as page:
        live(page)
        snapshot = page.locator("body").aria_snapshot()
        lines = [line.strip(" -") for line in snapshot.splitlines()]
        for role in ("button", "slider", "textbox", "combobox", "switch", "tab", "meter"):
            named = [line for line in lines if line.split(" ")[0].rstrip(":") == role]
            assert named, role
            assert all('"' in line for line in named), [line for line in named if '"' not in line]
        for landmark in ("banner", "main", "complementary"):
            assert any(line.startswith(landmark) for line in lines), landmark


@pytest.mark.parametrize("viewport", [PHONE, {"width": 600, "height": 900}, {"width": 900, "height": 900}])
def test_nothing_is_wider_than_the_page(browser: Browser, stage: Stage, viewport: Any) -> None:
    with opened_page(browser, stage.address, viewport=viewport, has_touch=True, is_mobile=True) as page:
        live(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        page.get_by_role("button", name="MIDI learn").tap()
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert page.evaluate("window.innerWidth") == viewport["width"]


def test_a_phone_is_touched(browser: Browser, stage: Stage) -> None:
    stage.surface.received.clear()
    with opened_page(browser, stage.address, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        live(page)
        page.locator("#key-bypass").tap()
        until(lambda: stage.surface.of(m.Bypass))
        page.locator("#key-bypass").tap()
        sizes = page.evaluate(
            "[...document.querySelectorAll('.big-key, .tile, .tabs button')].filter(e => e.offsetParent)"
            ".map(e => e.getBoundingClientRect().height)"
        )
        assert min(sizes) >= 44
        assert findings(page) == []


def test_a_lost_line_is_said_and_comes_back_by_itself(browser: Browser, stage: Stage) -> None:
    with opened_page(browser, stage.address, viewport=DESK) as page:
        live(page)
        os.kill(stage.web.process_id, signal.SIGKILL)
        expect(page.locator("#connection")).to_contain_text("Connection lost")
        expect(page.locator("#connection")).to_have_text("Live", timeout=30_000)
        stage.surface.received.clear()
        page.locator("#key-panic").click()
        until(lambda: stage.surface.of(m.Panic))


def test_a_token_is_asked_for_and_one_in_the_address_is_used_and_hidden(browser: Browser) -> None:
    with opened_stage(TOKEN) as locked:
        with opened_page(browser, locked.address, viewport=DESK) as page:
            dialog = page.get_by_role("dialog", name="Token")
            expect(dialog).to_be_visible()
            assert findings(page) == []
            page.locator("#token").fill("not-the-right-token")
            page.get_by_role("button", name="Open", exact=True).click()
            expect(dialog.get_by_role("alert")).to_have_text("the token is wrong")
            page.locator("#token").fill(TOKEN)
            page.keyboard.press("Enter")
            expect(dialog).to_be_hidden()
            live(page)
            page.reload()
            live(page)
        with opened_page(browser, f"{locked.address}#token={TOKEN}", viewport=DESK) as page:
            live(page)
            assert TOKEN not in page.url


def test_less_motion_is_honoured(browser: Browser, stage: Stage) -> None:
    with opened_page(browser, stage.address, viewport=DESK, reduced_motion="reduce") as page:
        live(page)
        moving = (
            "[...document.querySelectorAll('*')].filter(e => parseFloat(getComputedStyle(e).transitionDuration) > 0)"
        )
        assert page.evaluate(f"{moving}.length") == 0
        left = (
            "() => new Set(document.querySelector('.spectrogram').getContext('2d').getImageData(2, 0, 1, 64).data).size"
        )
        until(lambda: page.evaluate(left) > 10)  # new columns begin at the left and stay where they are
