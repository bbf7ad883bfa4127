"""The panel's controls, pressed in a real browser, and what arrived at the surface."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from panel_stage import Stage, needs_chromium, opened_page, until
from vcfx.control import messages as m

pytestmark = [needs_chromium, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def loaded(browser: Browser, stage: Stage) -> Iterator[Page]:
    with opened_page(browser, stage.address, viewport={"width": 1_440, "height": 900}) as opened:
        expect(opened.locator("#connection")).to_have_text("Live")
        expect(opened.locator(".tile").first).to_be_visible()
        yield opened


@pytest.fixture
def page(loaded: Page, stage: Stage) -> Page:
    """One page for all tests, as loading takes seconds; each leaves search, tab and switches as they were."""
    stage.surface.received.clear()
    return loaded


def control(page: Page, node: str, parameter: str) -> Locator:
    return page.locator(f"[data-node={node}] [data-parameter={parameter}]")


def last(stage: Stage, kind: type) -> object:
    until(lambda: stage.surface.of(kind))
    return stage.surface.of(kind)[-1]


def test_a_preset_and_a_voice_are_switched_by_their_tiles(page: Page, stage: Stage) -> None:
    page.get_by_role("button", name="Robot").click()
    assert last(stage, m.SwitchPreset) == m.SwitchPreset("robot")
    expect(page.locator("#now")).to_have_text("Robot")
    expect(page.get_by_role("button", name="Robot")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("tab", name="Voices").click()
    page.get_by_role("button", name="Birch").click()
    assert last(stage, m.SwitchVoice) == m.SwitchVoice("birch")
    expect(page.locator("#now-voice")).to_contain_text("Birch")
    page.get_by_role("tab", name="Presets").click()


def test_the_search_leaves_what_fits_and_enter_takes_the_first(page: Page, stage: Stage) -> None:
    page.keyboard.press("/")
    page.keyboard.type("call")
    expect(page.locator(".tile")).to_have_count(1)
    page.keyboard.press("Enter")
    assert last(stage, m.SwitchPreset) == m.SwitchPreset("voice-call")
    page.keyboard.press("Escape")
    expect(page.locator(".tile")).to_have_count(3)
    page.locator("#search").fill("no such thing")
    expect(page.get_by_text("No preset fits.")).to_be_visible()
    page.locator("#search").fill("")


def test_a_tag_is_a_filter(page: Page) -> None:
    tag = page.get_by_role("button", name="natural", exact=True)
    tag.click()
    expect(tag).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".tile")).to_have_count(3)
    tag.click()


def test_a_slider_moves_its_parameter_and_the_last_value_arrives(page: Page, stage: Stage) -> None:
    slider = control(page, "pitch", "semitones").locator(".slider")
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(100):
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.005 * step), box["y"] + box["height"] / 2)
    page.mouse.up()
    shown = control(page, "pitch", "semitones").locator("input.value")
    until(lambda: stage.surface.of(m.SetParameter)[-1].value == float(shown.input_value()), 5.0)
    moves = stage.surface.of(m.SetParameter)
    assert {(move.node, move.parameter) for move in moves} == {("pitch", "semitones")}
    assert float(moves[-1].value) > 20.0
    assert len(moves) < 100  # a hundred movements, fewer messages


def test_a_held_slider_is_not_moved_by_the_state(page: Page, stage: Stage) -> None:
    slider = control(page, "crush", "cutoff_hz").locator(".slider")
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    page.mouse.down()
    until(lambda: stage.surface.of(m.SetParameter))
    held = slider.input_value()
    node = next(each for each in stage.surface.state().chain if each.id == "crush")
    others = tuple(dataclasses.replace(p, value=20.0) if p.name == "cutoff_hz" else p for p in node.parameters)
    chain = tuple(
        dataclasses.replace(n, parameters=others) if n.id == "crush" else n for n in stage.surface.state().chain
    )
    page.wait_for_timeout(400)
    stage.surface.show(chain=chain, preset="Marker")
    expect(page.locator("#now")).to_have_text("Marker")
    assert slider.input_value() == held
    page.mouse.up()


def test_a_value_can_be_typed_and_set_back(page: Page, stage: Stage) -> None:
    place = control(page, "crush", "cutoff_hz")
    field = place.locator("input.value")
    field.click()
    field.fill("2.5k")
    field.press("Enter")
    assert last(stage, m.SetParameter) == m.SetParameter("crush", "cutoff_hz", 2_500.0)
    expect(field).to_have_value("2.5")
    expect(place.locator(".unit")).to_have_text("kHz")
    expect(place.locator(".slider")).to_have_attribute("aria-valuetext", "2.5 kHz")
    assert float(place.locator(".slider").input_value()) == pytest.approx(699, abs=1)  # log10(125) of three decades
    place.locator(".slider").dblclick()
    until(lambda: stage.surface.of(m.SetParameter)[-1].value == 4_000.0)
    field.fill("nonsense")
    field.press("Enter")
    expect(field).to_have_value("4")


def test_a_value_out_of_range_is_fitted(page: Page, stage: Stage) -> None:
    field = control(page, "crush", "bits").locator("input.value")
    field.fill("99")
    field.press("Enter")
    assert last(stage, m.SetParameter) == m.SetParameter("crush", "bits", 24)


def test_keys_move_a_slider_finely_coarsely_and_to_its_default(page: Page, stage: Stage) -> None:
    place = control(page, "pitch", "semitones")
    field, slider = place.locator("input.value"), place.locator(".slider")
    for value in ("1", "0"):  # whatever it was, both are changes that arrive
        field.fill(value)
        field.press("Enter")
        until(lambda value=value: [each.value for each in stage.surface.of(m.SetParameter)][-1:] == [float(value)])  # type: ignore[misc]
    slider.focus()
    moved = []
    for key in ("ArrowRight", "Shift+ArrowRight", "PageUp", "End", "Home", "Delete"):
        count = len(stage.surface.of(m.SetParameter))
        slider.press(key)
        until(lambda count=count: len(stage.surface.of(m.SetParameter)) > count)  # type: ignore[misc]
        moved.append(float(stage.surface.of(m.SetParameter)[-1].value))
    assert moved == pytest.approx([0.48, 0.528, 5.33, 24.0, -24.0, 0.0], abs=0.01)


def test_choices_switches_and_what_stands_still(page: Page, stage: Stage) -> None:
    control(page, "crush", "pitch_mode").get_by_role("button", name="Fixed").click()
    assert last(stage, m.SetParameter) == m.SetParameter("crush", "pitch_mode", "fixed")
    control(page, "crush", "wave").locator("select").select_option("square")
    until(lambda: stage.surface.of(m.SetParameter)[-1] == m.SetParameter("crush", "wave", "square"))
    switch = control(page, "crush", "hard").get_by_role("switch")
    switch.click()
    until(lambda: stage.surface.of(m.SetParameter)[-1] == m.SetParameter("crush", "hard", 1))
    expect(switch).to_have_attribute("aria-checked", "true")
    still = control(page, "low_cut", "type")
    expect(still.locator(".fact")).to_have_text("lowpass")
    assert still.locator("input, select, button").count() == 0


def test_a_node_is_left_out_and_taken_in(page: Page, stage: Stage) -> None:
    power = page.get_by_role("button", name="Use echo")
    before = power.get_attribute("aria-pressed")
    power.click()
    assert last(stage, m.BypassNode) == m.BypassNode("echo", None)
    expect(power).not_to_have_attribute("aria-pressed", before or "")


def test_the_large_keys(page: Page, stage: Stage) -> None:
    for key, message in (("mute", m.Mute(None)), ("bypass", m.Bypass(None)), ("panic", m.Panic())):
        page.locator(f"#key-{key}").click()
        assert last(stage, type(message)) == message
    expect(page.locator("#key-mute")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#key-mute")).to_contain_text("Muted")
    page.locator("#key-mute").click()
    expect(page.locator("#key-mute")).to_have_attribute("aria-pressed", "false")
    page.locator("#key-bypass").click()


def test_recording_begins_with_the_chosen_side_and_ends(page: Page, stage: Stage) -> None:
    page.locator("#recording").get_by_role("button", name="Both").click()
    page.locator("#key-record").click()
    assert last(stage, m.StartRecording) == m.StartRecording("both", None)
    expect(page.locator("#recording .file")).to_have_text("take.flac")
    expect(page.get_by_role("timer")).to_have_text("0:01")
    page.locator("#key-record").click()
    assert last(stage, m.StopRecording) == m.StopRecording()
    expect(page.locator("#key-record")).to_contain_text("Record")


def test_talking_by_pointer_and_by_space(page: Page, stage: Stage) -> None:
    talk = page.locator("#key-talk")
    talk.hover()
    page.mouse.down()
    expect(talk).to_contain_text("Talking")
    page.mouse.up()
    expect(talk).to_contain_text("Hold to talk")
    assert [message.held for message in stage.surface.of(m.PushToTalk)] == [True, False]
    page.locator("#now").click()
    page.keyboard.down(" ")
    until(lambda: len(stage.surface.of(m.PushToTalk)) == 3)
    page.keyboard.up(" ")
    until(lambda: [message.held for message in stage.surface.of(m.PushToTalk)][2:] == [True, False])
    page.get_by_role("button", name="Open mic", exact=True).click()
    assert last(stage, m.TalkMode) == m.TalkMode("open")


def test_devices_are_chosen(page: Page, stage: Stage) -> None:
    page.get_by_label("Monitor").select_option("Headphones")
    assert last(stage, m.UseDevices) == m.UseDevices(None, None, "Headphones")
    expect(page.get_by_label("Input", exact=True)).to_have_value("Microphone")


def test_saving_asks_for_a_name_and_says_what_was_refused(page: Page, stage: Stage) -> None:
    page.get_by_role("button", name="Save as").click()
    page.get_by_label("Name").fill("taken")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_text("there is a preset 'taken' already")).to_be_visible()
    page.get_by_label("Name").fill("mine")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#save-dialog")).to_be_hidden()
    assert last(stage, m.SavePreset) == m.SavePreset("mine")


def test_midi_is_learned_beside_a_control_and_hidden_without_midi(page: Page, stage: Stage) -> None:
    page.get_by_role("button", name="MIDI learn").click()
    expect(page.locator("[data-target='parameter:crush.cutoff_hz']")).to_contain_text("CC 7")
    key = page.locator("[data-target='preset:robot']")
    key.click()
    assert last(stage, m.LearnMidi) == m.LearnMidi("preset:robot")
    expect(key).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".midi-event")).to_contain_text("Waiting for preset:robot")
    midi = stage.surface.state().midi
    stage.surface.show(midi=None)
    expect(page.locator("#midi-learn")).to_be_hidden()
    expect(key).to_be_hidden()
    stage.surface.show(midi=midi)


def test_a_refusal_is_shown_and_read_out(page: Page, stage: Stage) -> None:
    catalogue = stage.surface.catalogue()
    missing = dataclasses.replace(catalogue.presets[0], name="missing", title="Missing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage.surface, "catalogue", lambda: dataclasses.replace(catalogue, presets=(missing,)))
        page.wait_for_timeout(1_100)  # the server looks once a second at most
        page.get_by_role("button", name="Look for devices again").click()
        page.get_by_role("button", name="Missing").click()
    refusal = page.locator("#refusals[role=alert] .notice")
    expect(refusal).to_contain_text("there is no preset 'missing'")
    refusal.get_by_role("button", name="Dismiss").click()
    expect(refusal).to_have_count(0)
    page.wait_for_timeout(1_100)
    page.get_by_role("button", name="Look for devices again").click()


def test_what_others_change_is_shown_and_the_controls_stay_the_same_elements(page: Page, stage: Stage) -> None:
    field = control(page, "crush", "bits").locator("input.value")
    field.evaluate("element => { element.kept = true; }")
    stage.surface.submit(m.SetParameter("crush", "bits", 12))
    stage.surface.show(preset="Elsewhere", problem="The microphone is gone.")
    expect(field).to_have_value("12")
    assert field.evaluate("element => element.kept")
    expect(page.locator("#now")).to_have_text("Elsewhere")
    expect(page.locator("#problem")).to_have_text("The microphone is gone.")
    expect(page.locator("#late")).to_have_text("3")
    stage.surface.show(problem="")


def test_the_meters_move_at_least_twenty_times_a_second(page: Page) -> None:
    page.evaluate("""() => {
      window.moves = 0;
      new MutationObserver(() => { window.moves += 1; }).observe(
        document.querySelector(".meter-rms"), { attributes: true });
    }""")
    rates = []
    for _ in range(3):  # the best of three seconds: the machine may be busy with other things
        before, began = page.evaluate("[window.moves, performance.now()]")
        page.wait_for_timeout(1_000)
        after, ended = page.evaluate("[window.moves, performance.now()]")
        rates.append(1_000 * (after - before) / (ended - began))
    assert max(rates) >= 20


def test_spectra_are_drawn_until_frozen_and_then_not_asked_for(page: Page, stage: Stage) -> None:
    drawn = (
        "() => { const c = document.querySelector('.spectrogram'); const p = c.getContext('2d')"
        ".getImageData(c.width - 2, 0, 1, c.height).data; return new Set(p).size; }"
    )
    until(lambda: page.evaluate(drawn) > 10)
    assert stage.surface.spectra == 1
    page.get_by_role("button", name="Freeze").click()
    until(lambda: stage.surface.spectra == 0)
    page.get_by_role("button", name="Frozen").click()
    until(lambda: stage.surface.spectra == 1)
