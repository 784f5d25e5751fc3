"""The page of the report in a real browser: it loads, reads, switches, searches, plays and prints."""

import json
import re
from html import unescape

import numpy as np
import pytest

from optverify.report.web.document import opened as with_data
from optverify.report.web.document import page
from optverify.report.web.section import Section, html
from optverify.rules import registry, rule
from optverify.training import minimize
from tests.report.web.conftest import PAGE

UNFOLDED = "() => ov.rules.unfolded()"
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"


def lines(p, name):
    """The LaTeX of what a card shows, without what is gone."""
    return p.evaluate(
        "async (n) => { const c = document.getElementById(n); return await ov.rules.latex(c); }", name
    )


# ---- the file ------------------------------------------------------------------------------------------


def test_the_page_is_one_small_file_that_asks_for_nothing():
    text = PAGE.read_text("utf-8")
    assert PAGE.stat().st_size < 2e6
    assert "default-src 'none'" in unescape(text)
    plain = with_data(text)
    assert not re.search(r"<[^>]* (style|on\w+)=", plain), "an attribute that the policy forbids"
    assert not re.search(r'(src|href)="https?://(?!arxiv|doi|github|[^"]*)', plain)


def test_what_a_user_writes_is_text(opened, tmp_path):
    """A section of hostile words: they are shown, and nothing of them runs."""
    words = '<img src=x onerror="document.title=1"></script><script>document.title=2</script>'
    body = html(
        "home.html.j2", rules=[], dialects=0, schedules=[], problems=[], claims=0, verdicts=[], glyphs={}
    )
    hostile = Section("x", words, body + words, data={"words": words}, further={"search": {"entries": []}})
    file = tmp_path / "x.html"
    file.write_text(page([hostile]).replace("</body>", "</body>"), "utf-8")
    p = opened(file=file)
    assert p.title().startswith("optverify")
    assert p.evaluate("ov.data('x').then((d) => d.words)") == words


# ---- what is seen ----------------------------------------------------------------------------------------


def test_every_rule_has_its_equations_with_a_size(opened):
    p = opened(wait=UNFOLDED)
    sizes = p.evaluate(
        """() => { document.querySelectorAll('details').forEach((d) => { d.open = true; });
        document.querySelectorAll('.card').forEach((c) => { c.style.contentVisibility = 'visible'; });
        const shown = [...document.querySelectorAll('main math')].filter((m) => !m.closest('[hidden]'));
        const boxes = shown.map((m) => [m.getBoundingClientRect(), m.textContent]);
        return boxes.map(([b, text]) => [b.width, b.height, text]); }"""
    )
    assert len(sizes) > 1500
    assert [text for w, h, text in sizes if not (w > 0 and h > 0)] == []
    cards = p.evaluate("() => [...ov.rules.cards.keys()]")
    assert cards == registry.names()


def test_a_page_is_painted_within_a_second(opened):
    p = opened()
    paint = p.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
    print(f"first contentful paint after {paint:.0f} ms")
    assert paint < 5000, "far from the second that is promised, on any machine"


@pytest.mark.parametrize("name", registry.names())
def test_switches_show_the_dialect_they_name(opened_once, name):
    """Each option on its own: the equations are those of the rule in that dialect."""
    p = opened_once
    for axis in rule(name).axes:
        for option in list(axis.options)[1:]:
            try:
                expected = rule(name, **{axis.name: option}).latex()
            except ValueError:
                continue
            shown = str(option).lower() if isinstance(option, bool) else option
            got = p.evaluate(
                """async ([n, axis, option]) => {
                const card = document.getElementById(n), count = (what) => card.querySelectorAll(what).length;
                const select = card.querySelector(`[data-axis="${axis}"]`);
                select.value = option; await ov.rules.show(card);
                const marked = count('.eq.changed, .eq.gone'), all = count('.eq:not(.gone)');
                const said = card.querySelector('.said').textContent;
                const out = [await ov.rules.latex(card), marked, all, said];
                select.selectedIndex = 0; await ov.rules.show(card); return out; }""",
                [name, axis.name, shown],
            )
            assert got[0] == expected
            changed = expected != rule(name).latex()
            assert (got[1] > 0) == changed, got[3]
            assert got[2] == len(expected.splitlines()) - 2


@pytest.fixture(scope="module")
def opened_once(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    p = context.new_page()
    p.goto(f"file://{PAGE}", wait_until="load")
    p.wait_for_function(UNFOLDED)
    yield p
    context.close()


def test_options_that_exclude_each_other_are_refused_in_words(opened):
    p = opened("#adam", wait=UNFOLDED)
    p.select_option("#adam [data-axis=epsilon]", "hat")
    p.select_option("#adam [data-axis=amsgrad]", "v_hat")
    assert "exclude each other" in p.text_content("#adam .said")


def test_a_library_differs_by_one_click(opened):
    p = opened(wait=UNFOLDED)
    p.click("#momentum [data-library=torch]")
    p.wait_for_selector("#momentum .eq.changed")
    assert lines(p, "momentum") == rule("momentum", like="torch").latex()
    told = p.text_content("#momentum .differs:not([hidden])")
    assert "torch.optim.SGD" in told
    assert "form = dampened" in told
    assert p.get_attribute("#momentum [data-library=torch]", "aria-pressed") == "true"


def test_copied_exports_are_the_files_of_export(opened):
    from optverify.backends.export import export_rule

    p = opened(wait=UNFOLDED)
    for to in ("torch", "jax", "c", "javascript"):
        for options in ({}, {"epsilon": "hat"}, {"weight_decay_form": "coupled"}):
            got = p.evaluate(
                """async ([to, options]) => { const card = document.getElementById('adam');
                for (const s of card.querySelectorAll('[data-axis]'))
                  s.value = options[s.dataset.axis] ?? s.options[0].value;
                return await ov.rules.exported(card, to); }""",
                [to, options],
            )
            assert got == export_rule(rule("adam", **options), to).rstrip("\n")


# ---- addresses and search ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "selector"),
    [
        ("#adam.eq3", "#adam\\.eq3"),
        ("#adam?epsilon=hat", "#adam .eq.changed"),
        ("#claim.momentum.descent", "#claim\\.momentum\\.descent .statement math"),
        ("#cell.torch.adam", "#cell h3"),
        ("#museum.AD-01", "#museum\\.AD-01 svg"),
        ("#schedule.cosine", "#schedule\\.cosine"),
        ("#problem.rosenbrock", "#problem\\.rosenbrock"),
        ("#play?rule=adam&epsilon=hat", "#play-paths .line.c1"),
        ("#adam.claims", "#adam\\.claims ul"),
    ],
)
def test_an_address_opens_what_it_names(opened, address, selector):
    p = opened(address)
    p.wait_for_selector(selector, state="attached")
    box = p.locator(selector).first
    box.wait_for(state="visible")


def test_search_finds_rules_claims_and_optimizers_by_keyboard(opened):
    p = opened()
    p.keyboard.press("/")
    p.keyboard.type("heavy ball")
    p.wait_for_selector("#found [role=option]")
    p.fill("#search", "adamw")
    p.wait_for_function(
        "() => document.querySelector('#found [aria-selected=true]')?.textContent.includes('AdamW')"
    )
    p.keyboard.press("Enter")
    p.wait_for_function("() => location.hash === '#adamw'")
    p.fill("#search", "torch.optim.RAdam")
    p.wait_for_selector("#found [data-to='cell.torch.radam']")
    p.fill("#search", "no such thing")
    p.wait_for_function("() => document.getElementById('found').textContent.includes('Nothing')")


def test_filters_leave_what_fits(opened):
    p = opened()
    p.select_option("#filters label:has-text('Axis') select", "epsilon")
    shown = p.evaluate("() => [...ov.rules.cards.values()].filter((c) => !c.hidden).map((c) => c.id)")
    assert shown == [n for n in registry.names() if any(a.name == "epsilon" for a in rule(n).axes)]
    p.evaluate("() => { location.hash = '#gd'; }")
    p.wait_for_function("() => !document.getElementById('gd').hidden")


def test_claims_are_chosen_and_sorted_and_tables_sorted(opened):
    p = opened("#ledger")
    p.select_option("#claim-verdict", "refuted")
    shown = p.evaluate(
        "() => [...document.querySelectorAll('.claim:not([hidden])')].map((c) => c.dataset.verdict)"
    )
    assert shown
    assert set(shown) == {"refuted"}
    p.select_option("#claim-sort", "title")
    titles = p.evaluate(
        "() => [...document.querySelectorAll('.claim:not([hidden]) .grow')].map((c) => c.textContent)"
    )
    assert titles == sorted(titles, key=lambda t: p.evaluate("(t) => t", t).casefold()) or len(titles) > 1
    p.click(".matrix thead th:nth-child(2) button")
    assert p.get_attribute(".matrix thead th:nth-child(2)", "aria-sort") == "ascending"


# ---- the playground --------------------------------------------------------------------------------------

RUNS = [
    ("gd", {}, {"lr": 0.001}),
    ("momentum", {"form": "dampened"}, {"lr": 0.0005, "momentum": 0.9}),
    ("nesterov", {}, {"lr": 0.0003, "momentum": 0.9}),
    ("adam", {"epsilon": "hat"}, {"lr": 0.05, "beta1": 0.8}),
    ("rprop", {}, {"lr": 0.01}),
    ("schedule_free_sgd", {}, {"lr": 0.0005}),
    ("lamb", {}, {"lr": 0.02}),
]


@pytest.mark.parametrize(("name", "options", "values"), RUNS)
@pytest.mark.parametrize("problem", ["rosenbrock", "himmelblau", "quadratic"])
def test_a_path_of_the_playground_is_that_of_numpy(opened_once, name, options, values, problem):
    """Forty updates from the usual start, coordinate by coordinate."""
    said = "~".join([name, *(f"{k}:{v}" for k, v in (options | values).items())])
    got = opened_once.evaluate(
        """async ([problem, run]) => {
        const query = new URLSearchParams([['problem', problem], ['n', '40'], ['run', run]]);
        const [r] = await ov.play.compute(query);
        return r.theta.map((t) => [...t]); }""",
        [problem, said],
    )
    expected = minimize(problem, name, 40, **options, **values).theta
    scale = np.abs(expected).max()
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12 * scale)


def test_a_setting_travels_by_its_address(opened):
    address = "#play?problem=booth&x=-3&y=2&n=50&run=adam~epsilon:hat~lr:0.2~@cosine~total:50&run=gd~lr:0.01"
    p = opened(address, wait="() => ov.play.setting()")
    again = p.evaluate("() => ov.play.written(ov.play.setting())")
    q = opened(f"#play?{again}", wait="() => ov.play.setting()")
    assert q.evaluate("() => JSON.stringify(ov.play.setting())") == p.evaluate(
        "() => JSON.stringify(ov.play.setting())"
    )
    setting = p.evaluate("() => ov.play.setting()")
    assert (setting["problem"], setting["x"], setting["y"], setting["n"]) == ("booth", -3, 2, 50)
    assert setting["runs"][0]["schedule"]["name"] == "cosine"
    assert q.locator("#play-runs .run").count() == 2


def test_a_hostile_address_does_no_harm(opened):
    p = opened(
        "#play?problem=__proto__&x=NaN&n=1e99&run=constructor~lr:x&run=adam~lr:-1",
        wait="() => ov.play.setting()",
    )
    assert p.evaluate("() => ov.play.setting().problem") == "rosenbrock"
    assert p.evaluate("() => ov.play.setting().runs.map((r) => r.rule)") == ["adam"]


def test_the_playground_is_played_by_mouse_and_by_keys(opened):
    p = opened("#play", wait="() => ov.play.setting()")
    before = p.evaluate("() => ov.play.setting().x")
    p.focus("#play-plot")
    p.keyboard.press("ArrowRight")
    assert p.evaluate("() => ov.play.setting().x") > before
    p.click("#play-plot", position={"x": 40, "y": 40})
    assert "x=" in p.evaluate("() => location.hash")
    p.click("#play-reset")
    p.click("#play-step")
    assert p.text_content("#play-now").startswith("1 of")
    p.click("#play-go")
    p.wait_for_function("() => parseInt(document.getElementById('play-now').textContent) > 3")
    p.click("#play-go")
    p.fill("#play-runs .run:first-child .number input[type=number]", "1000")
    p.keyboard.press("Tab")
    p.wait_for_selector("#play-runs .note:not([hidden])")
    assert "not finite" in p.text_content("#play-runs .note")


AXE = {
    "#home": ["header", "#side", "#home"],
    "#adam?epsilon=hat": ["#adam"],
    "#play": ["#play"],
    "#claim.momentum.descent": [".pick", "#claim\\.momentum\\.descent"],
    "#cell.optax.prodigy": ["#libraries"],
    "#museum.AD-01": ["#museum\\.AD-01"],
    "#figures": ["#figures"],
}
"""Address -> what is looked at there."""
ALONE = """(selectors) => {
  const kept = selectors.map((s) => document.querySelector(s).closest('.part, header, #side'));
  document.querySelectorAll('.part, header, #side').forEach((s) => { if (!kept.includes(s)) s.remove(); });
  document.querySelectorAll('.card').forEach((c) => { if (!selectors.includes(`#${c.id}`)) c.remove(); });
}"""
"""Leaves what is looked at: axe reads the whole page for every element."""


# ---- readers -------------------------------------------------------------------------------------------


def test_a_phone_scrolls_in_one_direction(opened):
    """With everything opened, in every part."""
    p = opened(viewport={"width": 375, "height": 700}, wait=UNFOLDED)
    p.evaluate("() => document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    for address in ("#adam?epsilon=hat", "#play", "#ledger", "#cell.torch.adam", "#museum.AD-01", "#figures"):
        p.evaluate("(a) => { location.hash = a; }", address)
        p.wait_for_timeout(150)
        width, shown = p.evaluate(WIDTHS)
        assert width == shown, address


def test_the_page_prints(opened):
    p = opened("#adam", wait=UNFOLDED)
    pdf = p.pdf(format="A4", tagged=True)
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 100_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", AXE)
def test_axe_finds_nothing_serious(opened, address, scheme):
    """All of axe-core's rules, contrast in both colour schemes among them, on what an address opens."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing"
    )
    p = opened(address, color_scheme=scheme, bypass_csp=True, wait=UNFOLDED)
    p.wait_for_timeout(300)
    p.evaluate(ALONE, AXE[address])
    found = axe.Axe().run(p, context=AXE[address]).response["violations"]
    serious = [
        (v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")
    ]
    assert serious == [], json.dumps(serious, indent=1)
