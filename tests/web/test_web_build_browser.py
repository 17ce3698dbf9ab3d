"""The builder in a browser: by mouse, by keyboard, on a phone, with the server gone, with hostile names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe import axe_violations_in_both_schemes
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect
from web_server import Served, served

from clawd.authors.starter import find_starter, starter_names
from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.site import Site
from clawd.store.fleet_list import read_fleet_list
from clawd.store.strategies import read_saved, save

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for the tests of this file; each works on strategies of its own."""
    site = Site(Settings(home=tmp_path_factory.mktemp("build") / "home"), SystemClock())
    with served(site) as web:
        yield web


@pytest.fixture
def web(at_work: Served) -> Served:
    return at_work


@pytest.fixture
def quiet(page: Page) -> Iterator[Page]:
    """A page that must say nothing to the console and throw nothing."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not re.search("40[49]", message.text):
            said.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    assert said == []


def open_strategy(page: Page, web: Served, name: str) -> None:
    page.goto(f"{web.url}/build/{name}")
    expect(page.locator(".react-flow__node").first).to_be_visible()


def block(page: Page, text: str) -> Locator:
    return page.locator(".build-block", has_text=re.compile(text)).first


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def text_of(page: Page) -> Locator:
    return page.get_by_label("Text of the strategy")


def saved(page: Page) -> None:
    expect(page.locator(".build-saved")).to_have_text(re.compile("Saved"))


def copied(web: Served, name: str, source: str = "macd") -> str:
    """A strategy of one's own, made over HTTP."""
    with web.client() as client:
        text: str = client.get(f"/api/strategies/{source}").json()["check"]["text"]
        answer = client.put(f"/api/strategies/{name}", json={"revision": 0, "form": "text", "text": text})
        assert answer.status_code == 200, answer.text
    return text


def places(page: Page) -> dict[str, tuple[float, float]]:
    found: dict[str, Any] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.react-flow__node')].map(node =>
          [node.dataset.id, node.style.transform]))"""
    )
    return {name: tuple(map(float, re.findall(r"-?[\d.]+", transform)[:2])) for name, transform in found.items()}  # type: ignore[misc]


def settled(page: Page, wanted: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """The places once they are as wanted, or after a while as they are."""
    for _ in range(600):
        if places(page) == wanted:
            break
        page.wait_for_timeout(100)
    return places(page)


def test_check_7_cut_mend_type_save_and_find_it_again(quiet: Page, web: Served) -> None:
    page = quiet
    page.goto(f"{web.url}/build")
    page.get_by_role("link", name="MACD", exact=True).click()
    expect(page.locator(".build-sentence")).to_contain_text("“histogram” is the MACD histogram")
    # An edge is deleted: the block says what it lacks, and Validate goes to it.
    edge = page.locator(".react-flow__edge").first
    edge.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Delete")
    expect(page.locator(".build-block.is-wrong")).to_contain_text("nothing is connected")
    tab(page, "Exits")
    page.get_by_role("button", name="Validate").click()
    wrong = page.locator(".build-block.is-wrong").first
    expect(wrong).to_contain_text(re.compile("needs a (condition|series) here: connect a block"))
    expect(page.get_by_role("tab", name="Block", exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".build-form")).to_contain_text("nothing is connected")
    # Undo restores it.
    page.locator("body").press("Control+z")
    expect(page.locator(".build-block.is-wrong")).to_have_count(0)
    expect(page.locator(".build-verdict")).to_contain_text("decides after")
    # An edit of the text, and the graph follows.
    tab(page, "Text")
    text = text_of(page).input_value()
    text_of(page).fill(text.replace("26", "31").replace('name = "MACD"', 'name = "MACD 31"'))
    expect(block(page, "histogram")).to_contain_text("31")
    expect(page.locator(".build-title")).to_have_text("MACD 31")
    # A block is moved by keyboard, which is undone by keyboard too, and done again.
    node = page.locator(".react-flow__node").first
    node.focus()
    page.keyboard.press("Enter")
    node = page.locator(".react-flow__node.selected")
    before = places(page)
    node.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    after = places(page)
    assert sum(before[name] != after[name] for name in before) == 1
    page.keyboard.press("Control+z")
    assert settled(page, before) == before
    page.keyboard.press("Control+Shift+z")
    assert settled(page, after) == after
    # The view is changed, everything is saved by itself, and is found again.
    page.locator(".react-flow__controls-zoomin").click()
    page.locator(".react-flow__controls-zoomin").click()
    tab(page, "Text")
    saved(page)
    page.wait_for_timeout(1_500)
    saved(page)
    view = page.locator(".react-flow__viewport").get_attribute("style")
    words = text_of(page).input_value()
    assert "/build/macd-" in page.url
    page.reload()
    expect(page.locator(".react-flow__node").first).to_be_visible()
    assert settled(page, after) == after
    assert page.locator(".react-flow__viewport").get_attribute("style") == view
    assert text_of(page).input_value() == words, "the pane that was open is open again, with the same text"
    # There and back again: text, graph and JSON are byte for byte what they were.
    name = page.url.rsplit("/", 1)[1]
    with web.client() as client:
        found = client.get(f"/api/strategies/{name}").json()["check"]
        again = client.post("/api/strategies/check", json={"graph": found["graph"]}).json()
        assert again["tree"] == found["tree"]
        assert client.post("/api/strategies/check", json={"tree": again["tree"]}).json()["tree"] == found["tree"]
        assert client.post("/api/strategies/check", json={"text": again["text"]}).json()["text"] == again["text"]


def test_a_small_strategy_is_built_by_keyboard_alone(quiet: Page, web: Served) -> None:
    page = quiet
    page.goto(f"{web.url}/build")
    begin = page.get_by_role("button", name="Empty strategy")
    begin.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".build-canvas-empty")).to_be_visible()
    find = page.get_by_label("Find a block")

    def add(word: str) -> None:
        find.focus()
        page.keyboard.press("Control+a")
        page.keyboard.type(word)
        page.keyboard.press("Enter")
        expect(page.locator(".build-form h3")).to_contain_text(word)

    def choose(label: str, option: str) -> None:
        field = page.get_by_label(label, exact=False).first
        field.focus()
        field.select_option(label=option)

    add("ts_mean")
    choose("x: a series", "close")
    number = page.get_by_label("w: window, bars")
    number.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("200")
    add("gt")
    choose("x: a series", "close")
    choose("y: a series", "ts_mean(200) [n1]")
    add("where")
    page.get_by_label("x: a condition").focus()
    page.keyboard.press("ArrowDown")  # the only block that gives a condition
    choose("y: a series", "a number")
    choose("z: a series", "a number")
    zero = page.get_by_label("Number at z")
    zero.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("0")
    add("long_only")
    page.get_by_label("x: a pure number").focus()
    page.keyboard.type("where")
    expect(page.locator(".build-verdict")).to_contain_text("decides after 199 bars")
    expect(page.locator(".build-sentence")).to_contain_text(
        "It is long with all of its capital while the close is above the 200-bar mean of the close"
    )
    saved(page)
    name = page.url.rsplit("/", 1)[1]
    stored = read_saved(web.site.home, name)
    assert stored is not None
    assert stored.text is not None
    assert 'target = "long_only(where(close > ts_mean(close, 200), 1, 0))"' in stored.text


def test_tab_goes_from_block_to_block_enter_opens_escape_leads_back_delete_takes_out(quiet: Page, web: Served) -> None:
    page = quiet
    copied(web, "keys")
    open_strategy(page, web, "keys")
    first = page.locator(".react-flow__node").first
    first.focus()
    before = first.get_attribute("data-id")
    page.keyboard.press("Tab")
    second = page.evaluate("document.activeElement.dataset.id")
    assert second not in (None, before)
    page.keyboard.press("Enter")
    expect(page.locator(".build-form h3")).to_be_visible()
    expect(page.locator(".build-form :focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(f'.react-flow__node[data-id="{second}"]')).to_be_focused()
    count = page.locator(".react-flow__node").count()
    page.keyboard.press("Delete")
    expect(page.locator(".react-flow__node")).to_have_count(count - 1)
    page.locator("body").press("Control+z")
    expect(page.locator(".react-flow__node")).to_have_count(count)
    expect(page.locator(".build-verdict")).to_be_visible()


def test_a_broken_text_is_marked_at_its_place_and_the_graph_stays(quiet: Page, web: Served) -> None:
    page = quiet
    copied(web, "typing")
    open_strategy(page, web, "typing")
    tab(page, "Text")
    blocks = page.locator(".react-flow__node").count()
    text = text_of(page).input_value()
    text_of(page).fill(text.replace("macd(close, 12", "mcad(close, 12"))
    expect(page.locator(".build-faults")).to_contain_text("unknown operator mcad, did you mean macd?")
    expect(page.locator(".build-faults")).to_contain_text("The graph stays as it was")
    expect(page.locator(".build-code mark")).to_have_text("mcad")
    expect(page.locator(".build-code-gutter .is-wrong")).to_have_count(1)
    assert page.locator(".react-flow__node").count() == blocks
    page.get_by_role("button", name=re.compile("Line .* unknown operator")).click()
    assert (
        page.evaluate(
            "() => { const t = document.activeElement; return t.value.slice(t.selectionStart, t.selectionStart + 4) }"
        )
        == "mcad"
    )
    expect(page.locator(".build-saved")).to_contain_text("Saved")
    page.reload()
    expect(text_of(page)).to_have_value(text.replace("macd(close, 12", "mcad(close, 12"))
    expect(page.locator(".build-faults")).to_contain_text("mcad")
    page.get_by_role("button", name="Deploy to paper").click()
    page.wait_for_timeout(300)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_json_pane_and_the_exits_form_edit_the_same_strategy(quiet: Page, web: Served) -> None:
    page = quiet
    copied(web, "forms")
    open_strategy(page, web, "forms")
    tab(page, "Exits")
    page.get_by_label("Stop: multiple").fill("4.5")
    page.get_by_role("switch", name="Trailing stop").click()
    page.get_by_label("Trailing stop: multiple").fill("0")
    expect(page.locator(".build-exit", has_text="Trailing stop").locator(".build-form-fault")).to_contain_text(
        "atr must be above 0"
    )
    page.get_by_label("Trailing stop: multiple").fill("6")
    tab(page, "Text")
    expect(text_of(page)).to_have_value(re.compile(r"stop = \{ atr = 4\.5, window = 14 \}\ntrail = \{ atr = 6"))
    tab(page, "JSON")
    tree = page.get_by_label("JSON of the strategy")
    tree.fill(tree.input_value().replace('"w": 12', '"w": 13').replace('"MACD"', '"By JSON"'))
    expect(page.locator(".build-title")).to_have_text("By JSON")
    tab(page, "Text")
    expect(text_of(page)).to_have_value(re.compile("By JSON"))
    tab(page, "Strategy")
    page.get_by_label("Bar").fill("fortnight")
    expect(page.get_by_label("Bar")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Bar").fill("1h")
    page.get_by_label("Instruments").fill("BTCUSDT, ETHUSDT")
    tab(page, "Text")
    expect(text_of(page)).to_have_value(re.compile(r'bar = "1h"\nuniverse = \["BTCUSDT", "ETHUSDT"\]'))


def drag(page: Page, start: Locator, end: Locator) -> None:
    one, other = start.bounding_box(), end.bounding_box()
    assert one is not None
    assert other is not None
    page.mouse.move(one["x"] + one["width"] / 2, one["y"] + one["height"] / 2)
    page.mouse.down()
    page.mouse.move(other["x"] + 20, other["y"] + 20, steps=5)
    page.mouse.move(other["x"] + other["width"] / 2, other["y"] + other["height"] / 2, steps=5)
    page.mouse.up()


def handle(page: Page, text: str, port: str) -> Locator:
    return page.locator(".react-flow__node", has_text=re.compile(text)).first.locator(f'[data-handleid="{port}"]')


def test_a_wire_that_cannot_fit_is_refused_with_the_reason_and_one_that_fits_is_made(quiet: Page, web: Served) -> None:
    page = quiet
    copied(web, "wires", "faber_timing")
    open_strategy(page, web, "wires")
    edges = page.locator(".react-flow__edge").count()
    drag(page, handle(page, "ts_mean", "result"), handle(page, "long_only", "x"))
    expect(page.locator(".build-refused")).to_contain_text(
        "long_only needs a pure number here, and ts_mean gives a price"
    )
    expect(page.locator(".react-flow__edge")).to_have_count(edges)
    drag(page, handle(page, "ts_mean", "result"), handle(page, "where", "x"))
    expect(page.locator(".build-refused")).to_contain_text("needs a condition here")
    drag(page, handle(page, "above", "result"), handle(page, "ts_mean", "x"))
    expect(page.locator(".build-refused")).to_contain_text("circle")
    drag(page, handle(page, "ts_mean", "result"), handle(page, "above", "x"))
    expect(page.locator(".react-flow__edge")).to_have_count(edges + 1)


def test_a_block_is_dragged_to_its_place_and_wires_say_what_they_carry(quiet: Page, web: Served) -> None:
    page = quiet
    copied(web, "dropped", "faber_timing")
    open_strategy(page, web, "dropped")
    words = {word.strip() for word in page.locator(".build-block-flow").all_inner_texts()}
    assert words == {"px", "yes/no", "num", "position"}
    count = page.locator(".react-flow__node").count()
    page.get_by_label("Find a block").fill("vol_target")
    page.get_by_role("button", name=re.compile("^vol_target")).drag_to(
        page.locator(".react-flow__pane"), target_position={"x": 260, "y": 40}
    )
    expect(page.locator(".react-flow__node")).to_have_count(count + 1)
    expect(page.locator(".build-form h3")).to_contain_text("vol_target")
    box, frame = block(page, "vol_target").bounding_box(), page.locator(".build-canvas").bounding_box()
    assert box is not None
    assert frame is not None
    assert abs(box["x"] + box["width"] / 2 - frame["x"] - 260) < 12


def test_work_outlives_a_server_that_is_gone(context: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> None:
    site = Site(Settings(home=tmp_path_factory.mktemp("gone") / "home"), SystemClock())
    with served(site) as web:
        copied(web, "mine")
        web.sign_in(context)
        page = context.new_page()
        open_strategy(page, web, "mine")
        port = int(web.url.rsplit(":", 1)[1])
    tab(page, "Text")
    text = text_of(page).input_value().replace("26", "27")
    text_of(page).fill(text)
    expect(page.locator(".build-saved")).to_contain_text("Kept in this browser")
    with served(Site(site.settings, SystemClock()), port) as again:
        again.sign_in(context)
        expect(page.locator(".build-saved")).to_contain_text(re.compile("Saved .* ago"))
        expect(page.locator(".build-verdict")).to_be_visible()
        stored = read_saved(site.home, "mine")
        assert stored is not None
        assert stored.text == text
    page.close()


def test_what_another_page_has_saved_is_not_written_over(page: Page, context: BrowserContext, web: Served) -> None:
    copied(web, "both")
    open_strategy(page, web, "both")
    other = context.new_page()
    open_strategy(other, web, "both")
    tab(other, "Text")
    text_of(other).fill(text_of(other).input_value().replace("26", "40"))
    saved(other)
    expect(other.locator(".build-saved")).to_contain_text("ago")
    tab(page, "Text")
    mine = text_of(page).input_value().replace("26", "50")
    text_of(page).fill(mine)
    expect(page.get_by_role("alert")).to_contain_text("saved in the meantime")
    expect(page.get_by_role("alert")).to_contain_text("the program")
    page.get_by_role("button", name="Save mine as a copy").click()
    page.wait_for_url(re.compile("/build/both-2$"))
    theirs, copy = read_saved(web.site.home, "both"), read_saved(web.site.home, "both-2")
    assert theirs is not None and copy is not None
    assert "40" in (theirs.text or "")
    assert copy.text == mine


def test_deploying_says_what_follows_before_it_does_it(quiet: Page, web: Served) -> None:
    page = quiet
    text = copied(web, "deployed", "ema_crossover")
    open_strategy(page, web, "deployed")
    page.get_by_role("button", name="Deploy to paper").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("the same as ema_crossover of the library", ignore_case=True)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    tab(page, "Text")
    text_of(page).fill(text.replace("64", "65"))
    page.get_by_role("button", name="Deploy to paper").click()
    expect(dialog).to_contain_text("counted in the ledger as a trial")
    expect(dialog).to_contain_text("only from bars that you could not have seen")
    assert read_fleet_list(web.site.home) == ()
    dialog.get_by_role("button", name="Deploy to paper").click()
    expect(dialog).to_contain_text("is on the fleet's list")
    (listed,) = read_fleet_list(web.site.home)
    assert listed.name == "deployed"
    assert "65" in listed.text
    dialog.get_by_role("button", name="Done").click()
    page.goto(f"{web.url}/build")
    expect(page.locator(".build-card", has_text="deployed")).to_contain_text("On the fleet's list")


def test_every_template_opens_readable_and_without_a_problem(quiet: Page, web: Served) -> None:
    page = quiet
    small: list[tuple[str, float]] = []
    page.goto(f"{web.url}/build")
    for name in starter_names():
        page.evaluate(
            "name => { history.pushState({}, '', `/build/${name}`); dispatchEvent(new PopStateEvent('popstate')) }",
            name,
        )
        expect(page.locator(".build-title")).to_have_text(find_starter(name).name)
        expect(page.locator(".build-verdict")).to_contain_text("No problems")
        expect(page.locator(".react-flow__node").first).to_be_visible()
        page.wait_for_timeout(250)  # the view is fitted once the blocks are measured
        zoom, outside = page.evaluate(
            """() => {
              const zoom = new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a
              const frame = document.querySelector('.build-canvas').getBoundingClientRect()
              const boxes = [...document.querySelectorAll('.react-flow__node')].map(n => n.getBoundingClientRect())
              return [zoom, boxes.filter(box => box.left < frame.left || box.right > frame.right + 1
                || box.top < frame.top - 1 || box.bottom > frame.bottom + 1).length]
            }"""
        )
        assert outside == 0, name
        small.append((name, zoom))
    assert min(zoom for _, zoom in small) >= 0.6, sorted(small, key=lambda each: each[1])[:3]


HOSTILE = '<img src=x onerror="window.hacked=1"> \' ; -- {{x}} 🚀'


def test_hostile_names_are_words_everywhere(quiet: Page, web: Served) -> None:
    page = quiet
    text = copied(web, "hostile").replace('name = "MACD"', f"name = '''{HOSTILE}'''")
    with web.client() as client:
        client.put("/api/strategies/hostile", json={"revision": 1, "form": "text", "text": text})
    page.goto(f"{web.url}/build")
    expect(page.get_by_role("link", name=HOSTILE, exact=True)).to_be_visible()
    page.get_by_role("link", name=HOSTILE, exact=True).click()
    expect(page.locator(".build-title")).to_have_text(HOSTILE)
    page.get_by_role("button", name="Validate").click()
    tab(page, "JSON")
    expect(page.get_by_label("JSON of the strategy")).to_have_value(re.compile("onerror"))
    assert page.evaluate("window.hacked") is None
    page.goto(f"{web.url}/build/%2e%2e%2fsecret")
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto(f"{web.url}/build/<b>nothing")
    expect(page.get_by_role("alert")).to_contain_text("There is no strategy")


def test_removing_can_be_undone(quiet: Page, web: Served) -> None:
    page = quiet
    save(web.site.home, "gone", 0, None, {}, None, web.site.clock.now())
    page.goto(f"{web.url}/build")
    page.get_by_role("button", name="Remove gone").click()
    expect(page.get_by_text("was set aside")).to_be_visible()
    expect(page.get_by_role("button", name="Remove gone")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Remove gone")).to_be_visible()


def test_search_finds_by_idea_and_says_when_nothing_is_found(quiet: Page, web: Served) -> None:
    page = quiet
    page.goto(f"{web.url}/build")
    page.get_by_label("Search strategies").fill("relative strength")
    expect(page.locator(".build-card")).to_have_count(1)
    page.get_by_label("Search strategies").fill("zzz")
    expect(page.get_by_text("No strategy says “zzz”.")).to_be_visible()


def test_on_a_phone_a_strategy_is_read_and_not_changed(quiet: Page, web: Served) -> None:
    page = quiet
    page.set_viewport_size({"width": 390, "height": 844})
    open_strategy(page, web, "turtles")
    expect(page.get_by_text("On a screen of this width a strategy can be read")).to_be_visible()
    expect(page.get_by_role("button", name="Validate")).to_have_count(0)
    expect(page.get_by_label("Find a block")).to_have_count(0)
    assert text_of(page).get_attribute("readonly") is not None
    node = page.locator(".react-flow__node").first
    node.focus()
    before = places(page)
    for key in ("Enter", "ArrowDown", "Delete"):
        page.keyboard.press(key)
    assert places(page) == before
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


def test_axe_finds_nothing(page: Page, web: Served) -> None:
    copied(web, "axe", "ema_crossover")
    page.goto(f"{web.url}/build")
    expect(page.locator(".build-card").first).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []
    open_strategy(page, web, "axe")
    assert axe_violations_in_both_schemes(page) == []
    page.locator(".react-flow__node").nth(2).click()
    expect(page.locator(".build-form h3")).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []
    for pane in ("Exits", "Strategy", "JSON", "Text"):
        tab(page, pane)
        if pane == "Exits":
            page.get_by_role("switch", name="Profit targets").click()
            page.get_by_role("button", name="Add a target").click()
        assert axe_violations_in_both_schemes(page) == [], pane
    text_of(page).fill(text_of(page).input_value().replace("ema(close, 16)", "emma(close, 16)"))
    expect(page.locator(".build-faults")).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []
    text_of(page).press("Control+z")
    expect(page.locator(".build-verdict")).to_be_visible()
    page.locator(".react-flow__edge").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Delete")
    expect(page.locator(".build-block.is-wrong").first).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []
    page.locator("body").press("Control+z")
    expect(page.locator(".build-verdict")).to_be_visible()
    page.get_by_role("button", name="Deploy to paper").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_timeout(300)
    assert axe_violations_in_both_schemes(page) == []


def test_a_backtest_in_place_says_what_came_of_it(page: Page, web: Served) -> None:
    copied(web, "tested", "faber_timing")
    open_strategy(page, web, "tested")
    page.get_by_role("button", name="Backtest", exact=True).click()
    expect(page.locator(".build-backtest")).to_be_visible()
    expect(page.locator(".build-backtest")).to_be_in_viewport()


def test_a_strategy_that_was_only_looked_at_is_not_saved_anew(quiet: Page, web: Served) -> None:
    copied(web, "looked")
    open_strategy(quiet, web, "looked")
    quiet.wait_for_timeout(2_000)
    quiet.get_by_role("link", name="All strategies").click()
    expect(quiet.locator(".build-card").first).to_be_visible()
    stored = read_saved(web.site.home, "looked")
    assert stored is not None
    assert stored.revision == 1
