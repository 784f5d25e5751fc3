"""The reference says what the rules say: defaults, ranges, and what each option changes."""

import pytest

from optverify.language.notation import tex_number
from optverify.problems import names, problem
from optverify.report.markup import render
from optverify.report.reference import problem_page, rows, rule_page, schedule_page
from optverify.rules import registry as rules
from optverify.rules import rule
from optverify.schedules import registry as schedules


def choices(page):
    return {(c.axis.name, change.option): change for c in page.choices for change in c.changes}


@pytest.mark.parametrize("name", rules.names())
def test_a_page_holds_all_of_a_rule(name):
    """Every hyperparameter with default and range, every state, every option of every axis, code, sources."""
    r, page = rule(name), rule_page(rule(name))
    assert page.latex == r.latex()
    assert [(q.name, q.default, q.domain) for q in page.symbols] == [
        *(
            (h.name, "" if h.default is None else tex_number(h.default), str(h.domain))
            for h in r.every_hyperparameter
        ),
        *((i.name, "", i.domain or "an array") for i in r.inputs),
    ]
    assert [q.name for q in page.states] == [s.name for s in r.every_state]
    assert set(choices(page)) == {(a.name, o) for a in r.axes for o in list(a.options)[1:]}
    assert page.code.startswith("def equations(theta, ")
    assert page.sources == r.sources


@pytest.mark.parametrize("name", rules.names())
def test_the_changed_lines_make_the_dialect_out_of_the_default(name):
    """Default lines, less those that are gone, with the changed ones put in, are the lines of the dialect."""
    default, page = rows(rule(name).latex()), rule_page(rule(name))
    for (axis, option), change in choices(page).items():
        mended = {lhs: line for lhs, line in default.items() if lhs not in change.gone}
        mended |= {line.partition(" &= ")[0]: line for line in change.lines}
        assert mended == rows(rule(name, **{axis: option}).latex())
        assert bool(change.latex) == bool(change.lines or change.starts)
    alone = {(axis, o) for (axis, o), change in choices(page).items() if not change.latex}
    assert alone == ({("amsgrad", "v_hat")} if name == "amsgrad" else set())  # v_hat is v without correction


def test_an_option_that_only_changes_a_start_is_shown_by_the_start():
    """Yogi's first moment; no other option of the rule touches how a state starts."""
    found = choices(rule_page(rule("yogi")))
    assert found["first_moment", "accumulator"].latex == "\\begin{aligned}\nm_0 &= v_0\n\\end{aligned}"
    assert [key for key, change in found.items() if change.starts] == [("first_moment", "accumulator")]


def test_epsilon_hat_changes_what_the_paper_says():
    change = choices(rule_page(rule("adam")))["epsilon", "hat"]
    assert change.gone == (r"\hat{m}_t", r"\hat{v}_t")
    rate, step = change.lines
    assert rate.startswith(r"\alpha_t &= ")
    assert r"\sqrt{1 - \beta_2^t}" in rate
    assert r"\sqrt{v_t} + \epsilon" in step


def test_it_says_when_a_part_is_used():
    only = {q.name: q.only for q in (*rule_page(rule("adam")).symbols, *rule_page(rule("adam")).states)}
    assert only["lr"] == only["m"] == ""
    assert only["weight_decay"] == 'weight_decay_form != "none"'
    assert only["v_max"] == 'amsgrad != "none"'
    centered = {q.name: q.only for q in rule_page(rule("rmsprop")).states}
    assert centered["g_bar"] == "centered = True"


@pytest.mark.parametrize("name", schedules.names())
def test_a_page_holds_all_of_a_schedule(name):
    family = schedules.get(name)
    page = schedule_page(family)
    assert page.latex == family.latex()
    assert [q.name for q in page.symbols] == [h.name for h in family.hyperparameters]
    assert set(choices(page)) == {(a.name, o) for a in family.axes for o in list(a.options)[1:]}
    assert page.code == ""
    assert page.sources


def test_a_page_holds_the_constants_of_a_problem():
    page = problem_page(problem("booth"))
    assert (page.dimension, page.smoothness, page.convexity, page.infimum) == (2, "18", "2", "0")
    assert problem_page(problem("saddle")).infimum == "unbounded below"
    assert problem_page(problem("mlp")).infimum == "not known"
    assert problem_page(problem("himmelblau")).infimum == "0, at 4 points"
    assert problem_page(problem("separable_logistic")).infimum == "0, not attained"


def test_titles_are_unique_so_that_anchors_are():
    pages = [rule_page(rules.get(n)) for n in rules.names()]
    titles = [p.title for p in pages] + [schedules.get(n).title for n in schedules.names()]
    titles += [problem(n).title for n in names()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("template", ["equations.md.j2", "equations.tex.j2"])
def test_the_symbols_of_a_problem_are_printed(template):
    page = problem_page(problem("huber", delta=0.25))
    assert page.symbols[r"\delta"] == "threshold between square and line, 0.25"
    printed = render(template, rules=[], schedules=[], problems=[page], results=[])
    assert page.symbols[r"\delta"] in printed
