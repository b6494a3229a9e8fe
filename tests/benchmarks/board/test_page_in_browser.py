"""The page in a real browser: what a visitor does with mouse, keyboard, phone and ears.

Needs Debian's chromium and chromium-driver (`make browser`). Without them the tests are skipped,
unless AV_ENVS_BROWSER=required says that they must run.
"""

import os
import shutil
from dataclasses import replace

import pytest
from fake_rir_measure import TEAM_SUITE
from fake_separation import FAKE_SUITE
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from av_envs.benchmarks import report
from av_envs.benchmarks.play.agents import AgentSpec
from av_envs.benchmarks.play.episodes import Job
from av_envs.benchmarks.run import run_suite
from av_envs.benchmarks.suites import suite as suites

PROGRAMS = ("chromium", "chromedriver")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
DESK, PHONE = (1200, 900), (390, 844)
PATIENCE = 20  # s, for sound to begin on a busy machine
OWN_SUITE = replace(FAKE_SUITE, name="fake-own-v1", env_id="fake_separation:FakeEst-v0")
WATCH_SOUNDS = """const Real = window.Audio; window.sounds = [];
  window.Audio = function (source) { sounds.push(new Real(source)); return sounds.at(-1); }"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The address of a report on two agents with sound."""
    directory = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(suites.SUITES, FAKE_SUITE.name, FAKE_SUITE)
        for name in ("Oracle", "StandInPlace"):
            run_suite(Job(FAKE_SUITE, AgentSpec(f"av_envs.baselines.separation:{name}")), directory)
        report.write_report(directory, n_audio=1)
    return (directory / "leaderboard.html").as_uri()


@pytest.fixture(scope="module")
def other_page(tmp_path_factory):
    """The address of a report on an agent that separates and on a team, both with sound."""
    directory = tmp_path_factory.mktemp("other")
    jobs = (OWN_SUITE, "fake_separation:Estimates"), (TEAM_SUITE, "fake_rir_measure:Walkers")
    with pytest.MonkeyPatch.context() as patch:
        for suite, agent in jobs:
            patch.setitem(suites.SUITES, suite.name, suite)
            run_suite(Job(suite, AgentSpec(agent)), directory)
        report.write_report(directory, n_audio=1, trust=True)
    return (directory / "leaderboard.html").as_uri()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    programs = [shutil.which(name) for name in PROGRAMS]
    if None in programs:
        problem = f"needs {' and '.join(PROGRAMS)}; on Debian: make browser"
        if os.environ.get("AV_ENVS_BROWSER") == "required":
            pytest.fail(problem)
        pytest.skip(problem)
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(programs[1]))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium, page):
    """The page, freshly opened on a desk by daylight; it must leave no error behind."""
    look(chromium, DESK, "light")
    chromium.get(page)
    yield chromium
    assert [line for line in chromium.get_log("browser") if line["level"] == "SEVERE"] == []


@pytest.fixture
def other(browser, other_page):
    """A function: opens the first episode of a suite of the other page, its sounds watched."""

    def opened(suite):
        browser.get(other_page)
        browser.execute_script(WATCH_SOUNDS)
        find(browser, f'[data-gallery="{suite.name}"] .card').click()
        return browser

    return opened


def look(driver, size, scheme):
    facts = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", facts)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def find(driver, selector):
    return driver.find_element(By.CSS_SELECTOR, selector)


def column(driver, number):
    cells = driver.find_elements(By.CSS_SELECTOR, f"table tbody tr td:nth-child({number})")
    return [cell.text for cell in cells[:2]]


def open_player(driver):
    find(driver, ".card").click()
    return find(driver, "dialog[open] input[type=range]")


def test_a_click_sorts_and_another_turns_it_round(browser):
    header = find(browser, "table.sortable th:nth-child(1)")
    assert column(browser, 1) == ["1", "2"]
    header.find_element(By.TAG_NAME, "button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert column(browser, 1) == ["2", "1"]
    header.find_element(By.TAG_NAME, "button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert column(browser, 1) == ["1", "2"]


def test_the_keyboard_sorts_too(browser):
    button = find(browser, "table.sortable th:nth-child(1) button")
    browser.execute_script("arguments[0].focus()", button)
    assert browser.switch_to.active_element == button
    button.send_keys(Keys.ENTER)
    assert column(browser, 1) == ["2", "1"]


def test_the_scrubber_moves_the_agent_and_the_clock(browser):
    slider = open_player(browser)
    before = find(browser, "dialog .agent").get_attribute("transform")
    for _ in range(3):
        slider.send_keys(Keys.ARROW_RIGHT)
    assert slider.get_attribute("value") == "3"
    assert find(browser, "dialog .axis").text.split("\n")[-1].startswith("3 s")
    assert find(browser, "dialog .agent").get_attribute("transform") != before
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not browser.find_elements(By.CSS_SELECTOR, "dialog[open]")


def test_sound_plays_and_moves_the_scrubber(browser):
    slider = open_player(browser)
    button = find(browser, "dialog .controls .play")
    button.click()
    WebDriverWait(browser, PATIENCE).until(lambda _: int(slider.get_attribute("value")) >= 2)
    assert button.text == "Pause"
    button.click()
    assert button.text == "Play"


def test_every_agent_has_its_episodes(browser):
    tabs = browser.find_elements(By.CSS_SELECTOR, ".tabs button")
    assert [tab.text for tab in tabs] == ["Oracle", "StandInPlace"]
    first = find(browser, ".card").text
    tabs[1].click()
    assert tabs[1].get_attribute("aria-pressed") == "true"
    assert find(browser, ".card").text != first


def test_a_house_leads_to_its_episodes(browser):
    assert find(browser, "svg.profile").get_attribute("aria-label").startswith("share of episodes")
    assert len(browser.find_elements(By.CSS_SELECTOR, "svg.profile polyline")) == 2
    row = find(browser, 'table.heat tr[data-agent="StandInPlace"]')
    cell = row.find_elements(By.CSS_SELECTOR, "td[data-scene] button")[1]
    scene = cell.find_element(By.XPATH, "..").get_attribute("data-scene")
    assert scene in cell.get_attribute("aria-label")
    cell.send_keys(Keys.ENTER)
    assert find(browser, ".tabs button[aria-pressed=true]").text == "StandInPlace"
    assert find(browser, "label select").get_attribute("value") == scene
    cards = [card.text for card in browser.find_elements(By.CSS_SELECTOR, ".card")]
    assert cards
    assert all(f"{scene}, episode" in card for card in cards)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".list li")) == len(cards)


def drawn(driver):
    """Canvases of all sounds, once they are drawn."""
    canvases = driver.find_elements(By.CSS_SELECTOR, "dialog .heard canvas")
    for canvas in canvases:
        WebDriverWait(driver, PATIENCE).until(lambda _, c=canvas: c.get_attribute("data-drawn"))
    return canvases


def test_the_sounds_are_drawn(browser):
    """The tone of the environment is a bright line on a dark ground, and the cursors follow."""
    slider = open_player(browser)
    mixture, truth = drawn(browser)
    assert [mixture.get_attribute("height"), truth.get_attribute("height")] == ["256", "128"]
    brightness = """const c = arguments[0].getContext("2d").getImageData(0, 0, 480, 128).data;
      const reds = c.filter((_, k) => k % 4 === 0); return [Math.max(...reds), Math.min(...reds)]"""
    for canvas in (mixture, truth):
        brightest, darkest = browser.execute_script(brightness, canvas)
        assert brightest > 200
        assert darkest < 60
    slider.send_keys(Keys.END)
    marks = browser.find_elements(By.CSS_SELECTOR, "dialog .heard .now")
    assert [mark.get_attribute("style") for mark in marks] == ["left: 100%;"] * 2


def test_where_nothing_separates_the_page_says_so(browser):
    open_player(browser)
    labels = browser.find_elements(By.CSS_SELECTOR, "dialog .track label")
    assert [label.text.split()[0] for label in labels] == ["mixture", "truth"]
    tracks = browser.find_elements(By.CSS_SELECTOR, "dialog .track")
    assert tracks[1].text.startswith("no estimate nothing separates here")


def test_one_changes_over_between_sounds_without_a_jump(other):
    browser = other(OWN_SUITE)
    labels = browser.find_elements(By.CSS_SELECTOR, "dialog .track label")
    assert [label.text.split()[0] for label in labels] == ["mixture", "estimate", "truth"]
    assert len(drawn(browser)) == 3
    button = find(browser, "dialog .controls .play")
    heard = "return sounds.map((one) => one.paused ? null : one.currentTime)"
    button.click()
    wait = WebDriverWait(browser, PATIENCE)
    wait.until(lambda _: (browser.execute_script(heard)[0] or 0) > 1.5)
    labels[1].click()
    wait.until(lambda _: browser.execute_script(heard)[1] is not None)
    mixture, estimate, truth = browser.execute_script(heard)
    assert (mixture, truth) == (None, None)
    assert estimate > 1.4
    assert button.text == "Pause"
    radio = labels[1].find_element(By.TAG_NAME, "input")
    radio.send_keys(Keys.ARROW_DOWN)
    wait.until(lambda _: browser.execute_script(heard)[2] is not None)
    assert browser.execute_script(heard)[:2] == [None, None]
    button.click()
    assert browser.execute_script(heard) == [None, None, None]


def test_the_sound_that_was_chosen_in_silence_is_played(other):
    browser = other(OWN_SUITE)
    browser.find_elements(By.CSS_SELECTOR, "dialog .track label")[2].click()
    find(browser, "dialog .controls .play").click()
    playing = "return sounds.map((one) => one.paused)"
    wait = WebDriverWait(browser, PATIENCE)
    wait.until(lambda _: browser.execute_script(playing) == [True, True, False])


def green(driver, canvas):
    """Of the pixel in the middle of a view."""
    pixel = 'return arguments[0].getContext("2d").getImageData(64, 64, 1, 1).data[1]'
    return driver.execute_script(pixel, canvas)


def test_the_camera_follows_the_scrubber(browser):
    """The environment shows a grey that is lighter by 10 after every step."""
    slider = open_player(browser)
    view = find(browser, "dialog .views canvas")
    assert view.get_attribute("aria-label") == "what the agent sees"
    WebDriverWait(browser, PATIENCE).until(lambda _: view.get_attribute("data-tile") == "0")
    assert green(browser, view) == 0
    for _ in range(4):
        slider.send_keys(Keys.ARROW_RIGHT)
    assert green(browser, view) == 40
    slider.send_keys(Keys.END)
    assert green(browser, view) == 200


def test_every_robot_has_a_view_of_its_own_and_one_clap_is_heard(other):
    browser = other(TEAM_SUITE)
    views = browser.find_elements(By.CSS_SELECTOR, "dialog .views canvas")
    names = [view.get_attribute("aria-label") for view in views]
    assert names == ["what robot_0 sees", "what robot_1 sees"]
    find(browser, "dialog input[type=range]").send_keys(Keys.END)
    WebDriverWait(browser, PATIENCE).until(lambda _: views[0].get_attribute("data-tile"))
    assert [green(browser, view) for view in views] == [20, 100]
    assert not browser.find_elements(By.CSS_SELECTOR, "dialog input[type=radio]")
    assert find(browser, "dialog .track").text.startswith("clap")
    assert find(browser, "dialog .axis").text.split("\n")[-1].startswith("step 20")


def test_on_a_phone_the_scrubber_stays_in_sight(other, browser):
    look(browser, (PHONE[0], PHONE[1] // 2), "dark")  # turned, or with its keyboard open
    other(OWN_SUITE)
    places = """const box = document.querySelector("dialog"); box.scrollTop = box.scrollHeight;
      const [a, b] = [box, box.querySelector(".controls")].map((e) => e.getBoundingClientRect());
      return [box.scrollTop, a.top, b.top, box.scrollWidth, box.clientWidth]"""
    drawn(browser)
    scrolled, dialog, controls, wide, width = browser.execute_script(places)
    assert scrolled > 0
    assert controls >= dialog
    assert wide == width


def test_a_phone_scrolls_down_only(browser):
    look(browser, PHONE, "light")
    width = "return [document.documentElement.scrollWidth, window.innerWidth]"
    shown, screen = browser.execute_script(width)
    assert screen == PHONE[0]
    assert shown <= screen


def test_in_the_dark_the_paper_is_darker_than_the_ink(browser):
    colours = "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
    light = browser.execute_script(colours)
    look(browser, DESK, "dark")
    assert browser.execute_script(colours) == ["rgb(22, 24, 27)", "rgb(230, 232, 235)"]
    assert light[0] == "rgb(255, 255, 255)"


def test_what_can_be_operated_has_a_name(browser):
    open_player(browser)
    nameless = """const named = (e) => e.textContent.trim() || e.getAttribute("aria-label") ||
        [...(e.labels ?? [])].some((label) => label.textContent.trim());
      return [...document.querySelectorAll("button, input, canvas, [role]")]
      .filter((e) => e.checkVisibility() && !named(e)).map((e) => e.outerHTML.slice(0, 80))"""
    assert browser.execute_script(nameless) == []
    labels = [element.get_attribute("aria-label") for element in drawn(browser)]
    assert labels == ["spectrogram of the mixture", "spectrogram of the truth"]
    group = find(browser, "dialog [role=radiogroup]")
    assert group.get_attribute("aria-label") == "sound that is played"
